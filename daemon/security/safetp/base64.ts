// Canonical base64 only: one text for one value, so that nothing can be hidden in it or changed unseen.
import { malformed } from './malformed.js';

const ALPHABET = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/**
 * The bytes of a text of at most `limit` decoded bytes. Throws a Fault of code `protocol` for an empty text, another
 * alphabet, missing or wrong padding, unused bits that are not zero, white space.
 */
export function fromBase64(text: string, limit: number): Buffer {
  if (text === '') throw malformed('empty base64');
  if (text.length > Math.ceil(limit / 3) * 4) throw malformed('base64 that is too long');
  if (!ALPHABET.test(text)) throw malformed('base64 that is not canonical');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length > limit) throw malformed('base64 that is too long');
  if (bytes.toString('base64') !== text) throw malformed('base64 that is not canonical');
  return bytes;
}
