// A DSA key with the name that its owner gave it, signed by the key itself: what a server shows of itself on the 334.
import { isBrand } from './brand.js';
import { dsaKeyOf, checkSignature, encodeSignature, readDsaKey, type DsaKey } from './dsa-key.js';
import { bytesField, readFields, str } from './encoding.js';
import { BRAND_MAX, DSA_KEY_MAX, SIGNATURE_MAX } from './limits.js';
import { malformed } from './malformed.js';
import type { DsaSigner } from './native/dsa.js';

const LABEL = 'ftpseal-brand1';

/** Decoded, its domain sound, its brand allowed and rightly signed; made by `readBrandedKey` and `brandKey` only. */
export interface BrandedKey {
  readonly brand: string;
  readonly key: DsaKey;
  /** `str label | str brand | bytes DsaPublicKey | bytes signature`: what the exchange is signed over. */
  readonly encoded: Buffer;
}

/** A branded key as a peer or a person gave it. Throws a Fault of code `protocol` if anything about it is wrong. */
export function readBrandedKey(encoded: Uint8Array): BrandedKey {
  const { brand, keyBytes, signature } = readFields(encoded, (fields) => {
    if (fields.str(LABEL.length) !== LABEL) throw malformed('something else than a branded key');
    return {
      brand: fields.str(BRAND_MAX),
      keyBytes: fields.bytes(DSA_KEY_MAX),
      signature: fields.bytes(SIGNATURE_MAX),
    };
  });
  if (!isBrand(brand)) throw malformed('a name with characters that could deceive');
  const key = readDsaKey(keyBytes);
  checkSignature(key, signedPart(brand, key), signature);
  return { brand, key, encoded: Buffer.from(encoded) };
}

/** Signs a brand. Throws a RangeError for a text that is no brand, a Fault for a key that is not sound. */
export function brandKey(signer: DsaSigner, brand: string): BrandedKey {
  if (!isBrand(brand)) throw new RangeError('not a brand');
  const key = dsaKeyOf(signer.publicKey);
  const signed = signedPart(brand, key);
  const signature = encodeSignature(signer.sign(signed));
  return { brand, key, encoded: Buffer.concat([signed, bytesField(signature)]) };
}

function signedPart(brand: string, key: DsaKey): Buffer {
  return Buffer.concat([str(LABEL), str(brand), bytesField(key.encoded)]);
}
