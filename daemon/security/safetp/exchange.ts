// The messages of the key exchange: what stands in the ADATs, and what the server signs.
import type { BrandedKey } from './branded-key.js';
import type { ElGamalCiphertext } from './elgamal.js';
import { bytesField, mpint, readFields, str } from './encoding.js';
import { ADAT_MAX, ADDRESS_MAX, CHALLENGE_BYTES, SIGNATURE_MAX } from './limits.js';
import { malformed } from './malformed.js';
import { equalBytes, sha1 } from './native/digest.js';
import { DES_BLOCK, decryptCbc, encryptCbc } from './native/triple-des.js';
import type { Random } from './random.js';
import type { SessionKeys } from './session-keys.js';

const LABEL = 'ftpseal-kex1';
const NUMBER_MAX = 256;

/** The client's first ADAT; its key is not looked into yet. */
export interface FirstAdat {
  readonly elGamalKey: Buffer;
  readonly clientChallenge: Buffer;
}

export function formatFirstAdat(adat: FirstAdat): Buffer {
  return Buffer.concat([bytesField(adat.elGamalKey), bytesField(adat.clientChallenge)]);
}

export function parseFirstAdat(bytes: Uint8Array): FirstAdat {
  return readFields(bytes, (fields) => ({
    elGamalKey: fields.bytes(ADAT_MAX),
    clientChallenge: fields.fixed(CHALLENGE_BYTES),
  }));
}

/** What the server says and signs. */
export interface ExchangeBody {
  readonly serverChallenge: Buffer;
  readonly clientChallenge: Buffer;
  /** RFC 5952 or dotted decimal, or `*`. */
  readonly serverAddress: string;
  readonly ciphertext: ElGamalCiphertext;
}

export function formatBody(body: ExchangeBody): Buffer {
  return Buffer.concat([
    bytesField(body.serverChallenge),
    bytesField(body.clientChallenge),
    str(body.serverAddress),
    mpint(body.ciphertext.c1),
    mpint(body.ciphertext.c2),
  ]);
}

export function parseBody(bytes: Uint8Array): ExchangeBody {
  return readFields(bytes, (fields) => ({
    serverChallenge: fields.fixed(CHALLENGE_BYTES),
    clientChallenge: fields.fixed(CHALLENGE_BYTES),
    serverAddress: fields.str(ADDRESS_MAX),
    ciphertext: { c1: fields.mpint(NUMBER_MAX), c2: fields.mpint(NUMBER_MAX) },
  }));
}

/** The server's ADAT on the 335. */
export interface ServerAdat {
  readonly body: Buffer;
  readonly signature: Buffer;
}

export function formatServerAdat(adat: ServerAdat): Buffer {
  return Buffer.concat([bytesField(adat.body), bytesField(adat.signature)]);
}

export function parseServerAdat(bytes: Uint8Array): ServerAdat {
  return readFields(bytes, (fields) => ({
    body: fields.bytes(ADAT_MAX),
    signature: fields.bytes(SIGNATURE_MAX),
  }));
}

/** What the signature of the 335 covers: the whole exchange, the client's own key in it. */
export function signedExchange(serverKey: BrandedKey, elGamalKey: Uint8Array, body: Uint8Array): Buffer {
  return Buffer.concat([str(LABEL), bytesField(serverKey.encoded), bytesField(elGamalKey), bytesField(body)]);
}

/** H, which goes into every session key. */
export function exchangeHash(signed: Uint8Array): Buffer {
  return sha1(signed);
}

/** The client's second ADAT: the proof that it could read the master secret. */
export function formatProof(keys: SessionKeys, serverChallenge: Uint8Array, random: Random): Buffer {
  const iv = random(DES_BLOCK);
  return Buffer.concat([iv, encryptCbc(keys.control('c2s').enc, iv, serverChallenge)]);
}

/** Throws a Fault of code `protocol` for any other proof; compares in constant time. */
export function checkProof(keys: SessionKeys, serverChallenge: Uint8Array, proof: Uint8Array): void {
  if (proof.length !== DES_BLOCK + CHALLENGE_BYTES) throw malformed('a proof of the wrong length');
  const plain = decryptCbc(keys.control('c2s').enc, proof.subarray(0, DES_BLOCK), proof.subarray(DES_BLOCK));
  if (!equalBytes(plain, serverChallenge)) throw malformed('a proof that does not hold');
}
