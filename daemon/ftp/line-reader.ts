// Cuts a byte stream at LF, however it arrives. Knows nothing of FTP.

/** What a read yields: a line with its line feed, not enough bytes yet, or a line over the limit (the reader is dead then). */
export type LineRead =
  | { readonly kind: 'line'; readonly raw: Buffer }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'too-long' };

const NEED_MORE: LineRead = { kind: 'need-more' };
const TOO_LONG: LineRead = { kind: 'too-long' };
const LF = 0x0a;

/**
 * Buffers at most `limit` bytes of an unfinished line plus the chunk just pushed. After `too-long` every read
 * yields `too-long` and pushed bytes are dropped, until `takeRest`. Lines are views of the pushed chunks where they lie in one chunk.
 */
export class LineReader {
  readonly #limit: number;
  #buffer: Buffer = Buffer.alloc(0);
  #start = 0;
  #scanned = 0;
  #dead = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Appends bytes; the caller does not change them afterwards. */
  push(bytes: Uint8Array): void {
    if (this.#dead) return;
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const rest = this.#buffer.subarray(this.#start);
    this.#scanned -= this.#start;
    this.#start = 0;
    this.#buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  }

  /** The next line, if a whole one is there. */
  read(): LineRead {
    if (this.#dead) return TOO_LONG;
    const end = this.#buffer.indexOf(LF, this.#scanned);
    const length = (end === -1 ? this.#buffer.length : end + 1) - this.#start;
    if (length > this.#limit) {
      this.#dead = true;
      return TOO_LONG;
    }
    if (end === -1) {
      this.#scanned = this.#buffer.length;
      return NEED_MORE;
    }
    const raw = this.#buffer.subarray(this.#start, end + 1);
    this.#start = this.#scanned = end + 1;
    return { kind: 'line', raw };
  }

  /** Bytes pushed and not yet read as lines. */
  get pending(): number {
    return this.#buffer.length - this.#start;
  }

  /** The unread bytes, which stay. */
  peekRest(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  /** Takes the unread bytes out; the reader is empty afterwards. For handing a connection on to a tunnel. */
  takeRest(): Buffer {
    const rest = this.#buffer.subarray(this.#start);
    this.#buffer = Buffer.alloc(0);
    this.#start = this.#scanned = 0;
    this.#dead = false;
    return rest;
  }
}
