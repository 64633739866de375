// Tells from its first bytes whether a client's line is FTP.
import { telnetPrefixLength } from './telnet.js';
import { canonicalVerb } from './verbs.js';

/** `undecided`: the bytes so far may still become one of the verbs. */
export type LineStart = 'ftp' | 'other' | 'undecided';

/** Blank, tab and the line ends. */
const BLANKS: readonly number[] = [0x20, 0x09, 0x0d, 0x0a];
/** More than the longest verb and what ends it. */
const LOOK_AT = 16;

/** Judges the first line in `bytes` that is not blank, Telnet commands in front of it aside. `verbs` are in upper case. */
export function judgeLineStart(bytes: Buffer, verbs: readonly string[]): LineStart {
  const line = bytes.subarray(telnetPrefixLength(bytes));
  const start = line.findIndex((byte) => !BLANKS.includes(byte));
  if (start === -1) return 'undecided';
  const text = line.subarray(start, start + LOOK_AT).toString('latin1');
  const word = canonicalVerb(/^[A-Za-z]*/.exec(text)?.[0] ?? '');
  if (word.length === text.length) {
    return verbs.some((verb) => verb.startsWith(word)) ? 'undecided' : 'other';
  }
  return verbs.includes(word) && /^[\s\0]/.test(text.slice(word.length)) ? 'ftp' : 'other';
}
