// A branded key as text, for handing it over out of band: on a web page, in a mail, on paper.
import { Fault } from '../../../shared/fault.js';
import { fromBase64, toBase64 } from './base64.js';
import { readBrandedKey, type BrandedKey } from './branded-key.js';
import { ADAT_MAX, KEY_TEXT_MAX } from './limits.js';
import { attempt } from './malformed.js';

const BEGIN = '-----BEGIN SAFETP PUBLIC KEY-----';
const END = '-----END SAFETP PUBLIC KEY-----';

/** Does a text claim to hold such a key? */
export function looksLikeKeyText(text: string): boolean {
  return text.includes(BEGIN);
}

/** The text of a key; its `Brand:` line is for people, the signed brand decides. */
export function formatKeyText(key: BrandedKey): string {
  const lines = toBase64(key.encoded).match(/.{1,64}/g) ?? [];
  return [BEGIN, `Brand: ${key.brand}`, '', ...lines, END, ''].join('\n');
}

/**
 * The key in a text; white space and lines holding a colon count for nothing. Throws a Fault of code `key`, with a
 * sentence for the person who pasted it, for no key, several, or one that is not sound.
 */
export function parseKeyText(text: string): BrandedKey {
  if (text.length > KEY_TEXT_MAX) throw new Fault('key', 'This is too long to be a SafeTP public key.');
  const blocks = text.split(BEGIN).slice(1);
  if (blocks.length > 1)
    throw new Fault('key', 'This text holds several SafeTP public keys. Give one at a time.');
  const [body, ...rest] = (blocks[0] ?? '').split(END);
  if (body === undefined || rest.length === 0)
    throw new Fault('key', `A SafeTP public key stands between “${BEGIN}” and “${END}”; a part is missing.`);
  const base64 = body
    .split(/\r\n|\r|\n/)
    .filter((line) => !line.includes(':'))
    .join('')
    .replace(/\s/g, '');
  const read = attempt(() => readBrandedKey(fromBase64(base64, ADAT_MAX)));
  if (read.kind === 'ok') return read.value;
  throw new Fault(
    'key',
    'This SafeTP public key is damaged: it is not signed by itself as it should be. Copy it again, whole.',
    read.fault,
  );
}
