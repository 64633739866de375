// Triple-DES EDE with three keys in CBC, of the platform, without any padding.
import { createCipheriv, createDecipheriv } from 'node:crypto';

const ALGORITHM = 'des-ede3-cbc';

/** Bytes of a DES block and of the initial vector. */
export const DES_BLOCK = 8;

/** `plain` is a multiple of 8 bytes, `key` has 24 (parity bits ignored), `iv` 8. */
export function encryptCbc(key: Uint8Array, iv: Uint8Array, plain: Uint8Array): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, iv).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.final()]);
}

/** The reverse of `encryptCbc`, with the same demands. */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, encrypted: Uint8Array): Buffer {
  const decipher = createDecipheriv(ALGORITHM, key, iv).setAutoPadding(false);
  return Buffer.concat([decipher.update(encrypted), decipher.final()]);
}
