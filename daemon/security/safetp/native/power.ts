// Powers modulo a prime. OpenSSL's Diffie-Hellman for RFC 3526 group 14, whose form it knows (1.6 ms on the machine of
// docs/x-safetp1.md); BigInt for all others (1.3 ms at 768 bits, 2.7 ms at 1024), where OpenSSL would first test the prime.
import { createDiffieHellman, getDiffieHellman } from 'node:crypto';
import { bytesOf, numberOf } from '../numbers.js';

const group14 = numberOf(getDiffieHellman('modp14').getPrime());

/** base^exponent mod modulus; the base is below the modulus, the exponent not negative. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const native = modulus === group14 && base > 1n && base < modulus - 1n && exponent > 0n;
  return native ? nativePower(base, exponent, modulus) : bigPower(base, exponent, modulus);
}

function nativePower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const exchange = createDiffieHellman(bytesOf(modulus), 2);
  exchange.setPrivateKey(bytesOf(exponent));
  return numberOf(exchange.computeSecret(bytesOf(base)));
}

function bigPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}
