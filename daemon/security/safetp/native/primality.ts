// Prime tests of the platform, remembered: OpenSSL's Miller-Rabin, with random bases.
import { checkPrimeSync } from 'node:crypto';

/** OpenSSL runs at least as many; the chance of a composite that passes is below 4^-24. */
const ROUNDS = 24;
const REMEMBERED_MAX = 256;

const remembered = new Map<bigint, boolean>();

/** Blocks: a prime of 2048 bits takes a tenth of a second the first time. */
export function isPrime(value: bigint): boolean {
  const known = remembered.get(value);
  if (known !== undefined) return known;
  const prime = value > 1n && checkPrimeSync(value, { checks: ROUNDS });
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(value, prime);
  return prime;
}
