// Watches a relayed client stream for the moment it turns out to be FTP after all: a line that starts with USER, PASS, ACCT or AUTH.
import { telnetPrefixLength } from './telnet.js';
import { FTP_GIVEAWAYS } from './verbs.js';

const LF = 0x0a;
/** Longest thing held back: white space or Telnet commands in front of a four-letter verb. */
const HELD_MAX = 64;

/** What of the bytes may be relayed, and whether the rest is FTP. */
export interface Watched {
  readonly pass: Buffer;
  /** The bytes from the start of the FTP line on; undefined while it is no FTP. */
  readonly ftp: Buffer | undefined;
}

/** Holds back at most 64 bytes: the start of a line that could still become one of the verbs. */
export class GiveawayWatcher {
  #held = Buffer.alloc(0);
  #atLineStart = true;

  push(bytes: Uint8Array): Watched {
    const data = Buffer.concat([this.#held, bytes]);
    this.#held = Buffer.alloc(0);
    let at = 0;
    let lineStart = this.#atLineStart;
    for (;;) {
      if (lineStart) {
        const verdict = judge(data.subarray(at));
        if (verdict === 'ftp') return { pass: data.subarray(0, at), ftp: data.subarray(at) };
        if (verdict === 'undecided') return this.#keep(data, at);
      }
      const end = data.indexOf(LF, at);
      if (end === -1) break;
      at = end + 1;
      lineStart = true;
    }
    this.#atLineStart = false;
    return { pass: data, ftp: undefined };
  }

  #keep(data: Buffer, at: number): Watched {
    this.#atLineStart = true;
    this.#held = Buffer.from(data.subarray(at));
    return { pass: data.subarray(0, at), ftp: undefined };
  }
}

function judge(line: Buffer): 'ftp' | 'other' | 'undecided' {
  const text = line
    .subarray(telnetPrefixLength(line))
    .toString('latin1')
    .replace(/^[\t ]+/, '');
  if (FTP_GIVEAWAYS.some((verb) => new RegExp(`^${verb}[\\s\\0]`, 'i').test(text))) return 'ftp';
  if (line.length >= HELD_MAX) return 'other';
  const start = text.slice(0, 4).toUpperCase();
  return text.length <= 4 && FTP_GIVEAWAYS.some((verb) => verb.startsWith(start)) ? 'undecided' : 'other';
}
