// The versions of TLS that may be asked for, and why the older ones may not.
import { Fault } from '../../shared/fault.js';

export type Method = 'TLSv1.2' | 'TLSv1.3';

/** `tls1.2`, `TLSv1.3` and the like. Throws a Fault of code `usage` that says why SSL 2, SSL 3, TLS 1.0 and 1.1 are refused. */
export function parseMethod(text: string): Method {
  const word = text
    .toLowerCase()
    .replace(/[v_ -]/g, '')
    .replace('.', '');
  if (word === 'tls12') return 'TLSv1.2';
  if (word === 'tls13') return 'TLSv1.3';
  const reason = REFUSED[word];
  if (reason !== undefined)
    throw new Fault('usage', `-M ${text} is refused: ${reason} Use tls1.2 or tls1.3.`);
  throw new Fault('usage', `"${text}" is no version of TLS; use tls1.2 or tls1.3.`);
}

const old = 'it is deprecated (RFC 8996): its signatures rest on MD5 and SHA-1, which can be forged.';

const REFUSED: Readonly<Record<string, string>> = {
  ssl2: 'SSL 2 is broken; anybody on the way can read and change it (RFC 6176).',
  ssl3: 'SSL 3 is broken; its padding gives the plain text away (POODLE, RFC 7568).',
  ssl23: 'it would allow SSL 2 and SSL 3, which are broken.',
  tls1: old,
  tls10: old,
  tls11: old,
};
