// What a server may call itself. A brand is shown to people beside a fingerprint, so it must not be able to disguise itself.
import { BRAND_MAX } from './limits.js';

// C0, DEL and C1; line and paragraph separators; bidirectional controls; zero-width characters; halves of surrogate pairs.
const FORBIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u200b-\u200d\u2060\ufeff\u180e]|\p{Cs}/u;

/** 1 to 256 bytes of UTF-8, nothing that hides or reorders text, and not only white space. */
export function isBrand(text: string): boolean {
  const length = Buffer.byteLength(text, 'utf8');
  return length >= 1 && length <= BRAND_MAX && !FORBIDDEN.test(text) && text.trim() !== '';
}
