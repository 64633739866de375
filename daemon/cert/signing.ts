// Signatures on certificates and requests: the algorithm that goes with a key, and its identifier.
import { sign, type KeyObject } from 'node:crypto';
import { Fault } from '../../shared/fault.js';
import { bitString, encode, nullElement, oid, sequence, type Element } from './der.js';

interface Scheme {
  readonly identifier: () => Element;
  /** Undefined where the algorithm has a hash of its own. */
  readonly hash: 'sha256' | 'sha384' | undefined;
}

const schemes = {
  rsa: { identifier: () => sequence(oid('1.2.840.113549.1.1.11'), nullElement()), hash: 'sha256' },
  p256: { identifier: () => sequence(oid('1.2.840.10045.4.3.2')), hash: 'sha256' },
  p384: { identifier: () => sequence(oid('1.2.840.10045.4.3.3')), hash: 'sha384' },
  ed25519: { identifier: () => sequence(oid('1.3.101.112')), hash: undefined },
} as const satisfies Readonly<Record<string, Scheme>>;

/** The identifier of the algorithm with which `key` signs; it stands inside what is signed as well. */
export function signatureAlgorithm(key: KeyObject): Element {
  return schemeOf(key).identifier();
}

/** `SEQUENCE { body, algorithm, signature }`, the form of certificates and of requests. */
export function signed(body: Element, key: KeyObject): Buffer {
  const scheme = schemeOf(key);
  const signature = sign(scheme.hash, encode(body), key);
  return encode(sequence(body, scheme.identifier(), bitString(signature)));
}

function schemeOf(key: KeyObject): Scheme {
  if (key.asymmetricKeyType === 'rsa') return schemes.rsa;
  if (key.asymmetricKeyType === 'ed25519') return schemes.ed25519;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === 'prime256v1') return schemes.p256;
  if (curve === 'secp384r1') return schemes.p384;
  throw new Fault(
    'key',
    `A key of the kind ${key.asymmetricKeyType ?? 'unknown'} ${curve ?? ''} can't sign here; use RSA, P-256, P-384 or Ed25519.`,
  );
}

/** Names of signature algorithms that no client should trust any more, by identifier (RFC 3279, RFC 5758). */
const WEAK: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2',
  '1.2.840.113549.1.1.3': 'MD4',
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.3.14.3.2.29': 'SHA-1',
  '1.2.840.10040.4.3': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
};

/** The broken hash behind a signature algorithm, or undefined. */
export function weakHashOf(identifier: string | undefined): string | undefined {
  return identifier === undefined ? undefined : WEAK[identifier];
}
