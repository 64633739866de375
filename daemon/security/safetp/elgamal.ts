// ElGamal over the safe primes: how the server hands the client a secret. The client's key lives for one session.
import { mpint, readFields } from './encoding.js';
import { GENERATOR, GROUP_PRIMES, type GroupBits } from './groups.js';
import { malformed } from './malformed.js';
import { power } from './native/power.js';
import { isPrime } from './native/primality.js';
import { bitLength, jacobi } from './numbers.js';
import { randomUpTo, type Random } from './random.js';

const NUMBER_MAX = 256;
const SIZES: readonly GroupBits[] = [768, 1024, 2048];

export interface ElGamalPublicKey {
  readonly p: bigint;
  readonly g: bigint;
  readonly y: bigint;
}

/** A key pair for one session; `x` is its secret. */
export interface ElGamalKeyPair {
  readonly publicKey: ElGamalPublicKey;
  readonly x: bigint;
}

export interface ElGamalCiphertext {
  readonly c1: bigint;
  readonly c2: bigint;
}

/** Which keys a server takes. */
export interface GroupPolicy {
  readonly minBits: GroupBits;
  /** Primes that are none of the three known ones; their test costs a second of CPU before any login. */
  readonly otherPrimes: 'refuse' | 'test';
}

/** A fresh pair: forward secrecy, and nothing by which a user could be recognised. */
export function generateElGamal(bits: GroupBits, random: Random): ElGamalKeyPair {
  const p = GROUP_PRIMES[bits];
  const x = randomUpTo((p - 1n) / 2n - 1n, random);
  return { publicKey: { p, g: GENERATOR, y: power(GENERATOR, x, p) }, x };
}

/** `mpint p | mpint g | mpint y` */
export function encodeElGamal(key: ElGamalPublicKey): Buffer {
  return Buffer.concat([mpint(key.p), mpint(key.g), mpint(key.y)]);
}

/** A client's key, checked. Throws a Fault of code `protocol` for a group or an element that policy or reason refuses. */
export function readElGamal(encoded: Uint8Array, policy: GroupPolicy): ElGamalPublicKey {
  const key = readFields(encoded, (fields) => ({
    p: fields.mpint(NUMBER_MAX),
    g: fields.mpint(NUMBER_MAX),
    y: fields.mpint(NUMBER_MAX),
  }));
  checkGroup(key.p, policy);
  for (const element of [key.g, key.y]) {
    if (element < 2n || element > key.p - 2n || jacobi(element, key.p) !== 1)
      throw malformed('an ElGamal key outside its group');
  }
  return key;
}

function checkGroup(p: bigint, policy: GroupPolicy): void {
  const bits = bitLength(p);
  if (bits < policy.minBits) throw malformed('an ElGamal key that is too small');
  if (SIZES.some((size) => GROUP_PRIMES[size] === p)) return;
  const testable = policy.otherPrimes === 'test' && SIZES.some((size) => size === bits) && (p & 3n) === 3n;
  if (!testable || !isPrime(p) || !isPrime((p - 1n) / 2n))
    throw malformed('an ElGamal key over an unknown group');
}

/** Encrypts a number below p. */
export function encryptElGamal(key: ElGamalPublicKey, message: bigint, random: Random): ElGamalCiphertext {
  const k = randomUpTo((key.p - 1n) / 2n - 1n, random);
  return { c1: power(key.g, k, key.p), c2: (message * power(key.y, k, key.p)) % key.p };
}

/** The reverse. Throws a Fault of code `protocol` for numbers that are not between 1 and p - 1. */
export function decryptElGamal(pair: ElGamalKeyPair, { c1, c2 }: ElGamalCiphertext): bigint {
  const { p } = pair.publicKey;
  if (c1 < 1n || c1 > p - 1n || c2 < 1n || c2 > p - 1n) throw malformed('an encrypted secret out of range');
  return (c2 * power(c1, p - 1n - pair.x, p)) % p;
}
