// The master secret inside an ElGamal message: 00 02 | at least 45 random bytes without zero | 00 | 48 bytes, as long as the prime.
import { decryptElGamal, encryptElGamal } from './elgamal.js';
import type { ElGamalCiphertext, ElGamalKeyPair, ElGamalPublicKey } from './elgamal.js';
import { MASTER_BYTES } from './limits.js';
import { malformed } from './malformed.js';
import { bitLength, numberOf, paddedBytesOf } from './numbers.js';
import { nonZeroBytes, type Random } from './random.js';

const FRAME_BYTES = 3;

function modulusBytes(p: bigint): number {
  return Math.ceil(bitLength(p) / 8);
}

/** Encrypts a master secret for a client's key. */
export function wrapMaster(key: ElGamalPublicKey, master: Uint8Array, random: Random): ElGamalCiphertext {
  const filler = nonZeroBytes(modulusBytes(key.p) - FRAME_BYTES - MASTER_BYTES, random);
  const message = Buffer.concat([Buffer.from([0, 2]), filler, Buffer.from([0]), master]);
  return encryptElGamal(key, numberOf(message), random);
}

/**
 * The master secret in a ciphertext whose signature was checked: so whoever made it chose what is in it, and what is said about
 * its form tells nobody anything. Throws a Fault of code `protocol` for any other form.
 */
export function unwrapMaster(pair: ElGamalKeyPair, ciphertext: ElGamalCiphertext): Buffer {
  const length = modulusBytes(pair.publicKey.p);
  const message = paddedBytesOf(decryptElGamal(pair, ciphertext), length);
  const zero = length - MASTER_BYTES - 1;
  const wellFormed =
    message[0] === 0 && message[1] === 2 && message[zero] === 0 && !message.subarray(2, zero).includes(0);
  if (!wellFormed) throw malformed('an encrypted secret of the wrong form');
  return message.subarray(zero + 1);
}
