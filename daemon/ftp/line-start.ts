// Tells from its first bytes whether a client's line is FTP.
import { telnetPrefixLength } from './telnet.js';
import { canonicalVerb } from './verbs.js';

/** `undecided`: the bytes so far may still become one of the verbs. */
export type LineStart = 'ftp' | 'other' | 'undecided';

/** Judges the first line in `bytes` that is not blank, Telnet commands in front of it aside. `verbs` are in upper case. */
export function judgeLineStart(bytes: Buffer, verbs: readonly string[]): LineStart {
  const text = bytes
    .subarray(telnetPrefixLength(bytes))
    .subarray(0, 64)
    .toString('latin1')
    .replace(/^\s+/, '');
  const word = canonicalVerb(/^[A-Za-z]*/.exec(text)?.[0] ?? '');
  if (word.length === text.length) {
    return verbs.some((verb) => verb.startsWith(word)) ? 'undecided' : 'other';
  }
  return verbs.includes(word) && /^[\s\0]/.test(text.slice(word.length)) ? 'ftp' : 'other';
}
