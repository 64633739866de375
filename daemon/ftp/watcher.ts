// Watches a relayed client stream for the moment it turns out to be FTP after all: a line that starts with USER, PASS, ACCT or AUTH.
import { canonicalVerb, FTP_GIVEAWAYS } from './verbs.js';

const LF = 0x0a;
const CR = 0x0d;
const SPACES: readonly number[] = [0x00, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20];
const IAC = 0xff;
const WILL = 0xfb;
const SE = 0xf0;
/** Blanks and Telnet commands in front of a verb that are held back with it; what is beyond is relayed at once. */
const HELD_MAX = 64;

/** What of the bytes may be relayed, and whether the rest is FTP. */
export interface Watched {
  readonly pass: Buffer;
  /** The bytes from the start of the FTP line on; undefined while it is no FTP. */
  readonly ftp: Buffer | undefined;
}

/** Where in a line the stream stands. */
type Stage =
  | 'prefix' // blanks and Telnet commands
  | 'iac'
  | 'option'
  | 'word' // the start of one of the verbs
  | 'rest';

/** Holds back a little more than 64 bytes at most: the start of a line that could still become one of the verbs. */
export class GiveawayWatcher {
  #stage: Stage = 'prefix';
  #held = Buffer.alloc(0);
  #word = '';

  push(bytes: Uint8Array): Watched {
    const data = Buffer.concat([this.#held, bytes]);
    let passed = 0;
    for (let at = this.#held.length; at < data.length; at += 1) {
      if (this.#stage === 'rest') {
        at = lineEnd(data, at);
        if (at === -1) break;
      }
      const before = this.#stage;
      this.#stage = this.#advance(data[at] ?? 0);
      if (before === 'word' && this.#stage === 'prefix' && FTP_GIVEAWAYS.includes(this.#word)) {
        return this.#found(data, passed);
      }
      if (isLineEnd(data[at] ?? 0) && this.#stage === 'prefix') passed = at + 1;
      if (this.#stage === 'prefix' && at + 1 - passed > HELD_MAX) passed = at + 1;
    }
    if (this.#stage === 'rest') passed = data.length;
    this.#held = Buffer.from(data.subarray(passed));
    return { pass: data.subarray(0, passed), ftp: undefined };
  }

  #found(data: Buffer, passed: number): Watched {
    this.#held = Buffer.alloc(0);
    return { pass: data.subarray(0, passed), ftp: data.subarray(passed) };
  }

  #advance(byte: number): Stage {
    switch (this.#stage) {
      case 'rest':
        return isLineEnd(byte) ? 'prefix' : 'rest';
      case 'option':
        return 'prefix';
      case 'iac':
        if (isLineEnd(byte)) return 'prefix';
        if (byte >= WILL && byte < IAC) return 'option';
        return byte >= SE && byte < WILL ? 'prefix' : 'rest';
      case 'prefix':
        this.#word = '';
        if (byte === IAC) return 'iac';
        if (byte >= SE || byte === 0x20 || byte === 0x09 || isLineEnd(byte)) return 'prefix';
        return this.#takeLetter(byte);
      case 'word':
        // The end of a whole verb; of part of one, the line is something else.
        if (SPACES.includes(byte))
          return FTP_GIVEAWAYS.includes(this.#word) || isLineEnd(byte) ? 'prefix' : 'rest';
        return this.#takeLetter(byte);
    }
  }

  #takeLetter(byte: number): Stage {
    this.#word += canonicalVerb(String.fromCharCode(byte));
    return FTP_GIVEAWAYS.some((verb) => verb.startsWith(this.#word)) ? 'word' : 'rest';
  }
}

/** Some servers end a command at a bare CR. */
function isLineEnd(byte: number): boolean {
  return byte === LF || byte === CR;
}

function lineEnd(data: Buffer, from: number): number {
  const lf = data.indexOf(LF, from);
  const cr = data.subarray(0, lf === -1 ? data.length : lf).indexOf(CR, from);
  return cr === -1 ? lf : cr;
}
