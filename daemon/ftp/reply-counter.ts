// Counts what an FTP program could take for final replies in a stream that is relayed as it comes.

const LF = 0x0a;
const CR = 0x0d;
const ZERO = 0x30;

/** Where in a line the stream stands: behind so many bytes of a code, or behind what is none. */
type Stage = 0 | 1 | 2 | 3 | 'other';

/** Bounded by a few numbers. Lines end as leniently as for any program; a line inside a multi-line reply counts if it looks like a last one. */
export class ReplyCounter {
  #stage: Stage = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) this.#take(byte);
  }

  #take(byte: number): void {
    const isEnd = byte === LF || byte === CR;
    if (this.#stage === 3 && (isEnd || byte === 0x20)) this.#count += 1;
    if (isEnd) this.#stage = 0;
    else if (this.#stage !== 0 || !isSkipped(byte)) this.#stage = next(this.#stage, byte);
  }
}

/** Blanks and Telnet commands in front of a code. */
function isSkipped(byte: number): boolean {
  return byte === 0 || byte === 0x09 || byte === 0x20 || byte >= 0xf0;
}

function next(stage: Stage, byte: number): Stage {
  const digit = byte - ZERO;
  if (stage === 0) return digit >= 2 && digit <= 5 ? 1 : 'other';
  if (stage === 1 || stage === 2) return digit >= 0 && digit <= 9 ? (stage === 1 ? 2 : 3) : 'other';
  return 'other';
}
