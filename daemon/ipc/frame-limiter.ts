// Stands between a socket and the JSON-RPC reader, which itself would collect a message of any announced length.
// Passes bytes on unchanged, and fails at the first header that is no header or announces too much.
import { Transform, type TransformCallback } from 'node:stream';

/** JSON-RPC needs `Content-Length: n` and perhaps a Content-Type. */
const maxHeader = 512;

/** Fails (and thereby ends the stream) with an Error at the first bad frame; `onFrame` gets the length that each header announces. */
export class FrameLimiter extends Transform {
  readonly #maxBody: number;
  readonly #onFrame: (bytes: number) => void;
  #header = '';
  #bodyLeft = 0;

  constructor(maxBody: number, onFrame: (bytes: number) => void) {
    super();
    this.#maxBody = maxBody;
    this.#onFrame = onFrame;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#scan(chunk);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done(null, chunk);
  }

  #scan(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, chunk.length - offset);
        this.#bodyLeft -= taken;
        offset += taken;
      } else {
        offset = this.#scanHeader(chunk, offset);
      }
    }
  }

  /** Reads up to the blank line or the end of the chunk; returns where it stopped. */
  #scanHeader(chunk: Buffer, start: number): number {
    const before = this.#header.length;
    const text = this.#header + chunk.toString('latin1', start, start + maxHeader + 4 - before);
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) {
      if (text.length > maxHeader) throw new Error('IPC: a header without end');
      this.#header = text;
      return chunk.length;
    }
    this.#header = '';
    this.#bodyLeft = this.#bodyLength(text.slice(0, end));
    this.#onFrame(this.#bodyLeft);
    return start + end + 4 - before;
  }

  #bodyLength(header: string): number {
    // One Content-Length and nothing that the reader behind could understand in another way.
    const match = /^Content-Length: ([0-9]{1,9})(?:\r\nContent-Type: [\x20-\x7e]*)?$/i.exec(header);
    const length = Number(match?.[1] ?? NaN);
    if (!(length > 0 && length <= this.#maxBody)) throw new Error('IPC: a message of no or too great length');
    return length;
  }
}
