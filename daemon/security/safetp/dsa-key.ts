// The server's DSA key: its encoding, its fingerprint, and the checks without which a signature by it proves nothing.
import { formatFingerprint, type KeyFingerprint } from '../../../shared/fingerprint.js';
import { mpint, readFields } from './encoding.js';
import { DSA_KEY_MAX } from './limits.js';
import { malformed } from './malformed.js';
import type { DsaNumbers } from './native/der.js';
import { sha256 } from './native/digest.js';
import { verifyDsa, type DsaSignature } from './native/dsa.js';
import { power } from './native/power.js';
import { isPrime } from './native/primality.js';
import { bitLength } from './numbers.js';

export const DSA_P_BITS = 1024;
export const DSA_Q_BITS = 160;
const SOUND_MAX = 256;

/** A key whose domain was checked; made by `readDsaKey` and `dsaKeyOf` only. */
export interface DsaKey {
  readonly numbers: DsaNumbers;
  /** `mpint p | mpint q | mpint g | mpint y` */
  readonly encoded: Buffer;
  /** What pins are made of; the brand is no part of it. */
  readonly fingerprint: KeyFingerprint;
}

const sound = new Set<KeyFingerprint>();

/** A key as a peer sent it. Throws a Fault of code `protocol` if it is not one, or a degenerate one. */
export function readDsaKey(encoded: Uint8Array): DsaKey {
  const numbers = readFields(encoded, (fields) => ({
    p: fields.mpint(DSA_KEY_MAX),
    q: fields.mpint(DSA_KEY_MAX),
    g: fields.mpint(DSA_KEY_MAX),
    y: fields.mpint(DSA_KEY_MAX),
  }));
  return dsaKeyOf(numbers);
}

/** A key of these numbers. Throws a Fault of code `protocol` if it is degenerate; what was found sound is not tested again. */
export function dsaKeyOf(numbers: DsaNumbers): DsaKey {
  const encoded = Buffer.concat([mpint(numbers.p), mpint(numbers.q), mpint(numbers.g), mpint(numbers.y)]);
  const fingerprint = formatFingerprint(sha256(encoded));
  if (!sound.has(fingerprint)) {
    checkDomain(numbers);
    if (sound.size >= SOUND_MAX) sound.clear();
    sound.add(fingerprint);
  }
  return { numbers, encoded, fingerprint };
}

/** With g = y = 1 a signature of (1, 1) would hold for everything; with a composite p or q it might be made by anybody. */
function checkDomain({ p, q, g, y }: DsaNumbers): void {
  if (bitLength(p) !== DSA_P_BITS || bitLength(q) !== DSA_Q_BITS)
    throw malformed('a DSA key of the wrong size');
  if ((p - 1n) % q !== 0n || !isPrime(q) || !isPrime(p)) throw malformed('a DSA key over no proper group');
  for (const element of [g, y]) {
    if (element < 2n || element > p - 2n || power(element, q, p) !== 1n)
      throw malformed('a DSA key outside its group');
  }
}

/** `mpint r | mpint s` */
export function encodeSignature(signature: DsaSignature): Buffer {
  return Buffer.concat([mpint(signature.r), mpint(signature.s)]);
}

/** Throws a Fault of code `protocol` unless these bytes are a signature of `message` by `key`. */
export function checkSignature(key: DsaKey, message: Uint8Array, encoded: Uint8Array): void {
  const { r, s } = readFields(encoded, (fields) => ({ r: fields.mpint(64), s: fields.mpint(64) }));
  const { q } = key.numbers;
  if (r <= 0n || r >= q || s <= 0n || s >= q) throw malformed('a signature out of range');
  if (!verifyDsa(key.numbers, message, { r, s })) throw malformed('a signature that does not hold');
}
