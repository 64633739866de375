// DSA with SHA-1 of the platform: making keys, signing, verifying. Private keys live in KeyObjects and PKCS#8 text only.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { Fault } from '../../../../shared/fault.js';
import { numberOf, paddedBytesOf } from '../numbers.js';
import { formatDsaSpki, parseDsaSpki, type DsaNumbers } from './der.js';

/** Bytes of q, and so of each half of a signature. */
const HALF = 20;

/** The two halves of a DSA signature. */
export interface DsaSignature {
  readonly r: bigint;
  readonly s: bigint;
}

/** A private key that never leaves: it signs, and tells its public half. */
export interface DsaSigner {
  readonly publicKey: DsaNumbers;
  sign(message: Uint8Array): DsaSignature;
}

/** Does the signature hold? The caller has checked the key's domain and the range of r and s. */
export function verifyDsa(key: DsaNumbers, message: Uint8Array, signature: DsaSignature): boolean {
  const publicKey = createPublicKey({ key: formatDsaSpki(key), format: 'der', type: 'spki' });
  const halves = Buffer.concat([paddedBytesOf(signature.r, HALF), paddedBytesOf(signature.s, HALF)]);
  return verify('sha1', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, halves);
}

/** A new key of 1024 and 160 bits as PKCS#8 PEM. Blocks: domain parameters take up to a few seconds. */
export function generateDsaPem(): string {
  const pair = generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 });
  return pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The signer in a PKCS#8 PEM. Throws a Fault of code `key` that says what was wrong. */
export function dsaSignerOf(pem: string): DsaSigner {
  const privateKey = readPrivateKey(pem);
  const publicKey = parseDsaSpki(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  return {
    publicKey,
    sign: (message) => {
      const halves = sign('sha1', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return { r: numberOf(halves.subarray(0, HALF)), s: numberOf(halves.subarray(HALF)) };
    },
  };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new Fault(
      'key',
      'The private key can’t be read; it is damaged, encrypted or in an unknown form.',
      error,
    );
  }
}
