// AUTH TLS and its older spellings (RFC 4217, draft-murray-auth-ftp-ssl). They differ in one word.
import type { Reply } from '../ftp/reply-reader.js';
import type { MechanismClient, MechanismStep } from './mechanism.js';

/** The words for TLS, and what each implies for the data connections before PROT says otherwise. */
export const TLS_WORDS: readonly { readonly word: string; readonly data: 'clear' | 'private' }[] = [
  { word: 'TLS', data: 'clear' },
  { word: 'TLS-C', data: 'clear' },
  { word: 'TLS-P', data: 'private' },
  { word: 'SSL', data: 'private' },
];

/** The names in `504 … LIST=A,B` or `ILST=` (draft-bonachea-sftp-00), upper case; empty if there is none. */
export function parseMechanismHints(text: string): readonly string[] {
  const match = /\bI?LST=([!-~]+(?:[ ,;]+[!-~]+)*)|\bLIST=([!-~]+(?:[ ,;]+[!-~]+)*)/i.exec(text);
  const names = (match?.[1] ?? match?.[2] ?? '').split(/[ ,;]+/);
  return names.filter((name) => name !== '').map((name) => name.toUpperCase());
}

/** An attempt with one word. Only 234 is agreement: RFC 4217 section 4. */
export function createTlsClient(word: string): MechanismClient {
  return {
    name: 'TLS',
    word,
    start: () => ({ kind: 'send', line: `AUTH ${word}` }),
    onReply: (reply: Reply): MechanismStep =>
      reply.code === 234
        ? { kind: 'wrapStream' }
        : {
            kind: 'refused',
            reason: `AUTH ${word}: ${reply.code}`,
            hints: parseMechanismHints(reply.lines.join(' ')),
          },
  };
}
