// Between the session's lines and the wire: in clear it keeps the transcript that X-SafeTP1 proves afterwards, and then it protects
// each line. Under TLS and in cleartext sessions it does nothing.
import type { LineProtection } from '../security/mechanism.js';
import { needsTranscript } from '../security/registry.js';
import { Transcript } from '../security/safetp/transcript.js';
import { withoutLineEnd } from '../security/safetp/control-lines.js';
import { WIRE_LINE_MAX } from '../security/safetp/limits.js';
import { LineReader } from './line-reader.js';

const CRLF = Buffer.from('\r\n');

/** Of one control connection. Holds at most one line of the wire. */
export class LineShield {
  readonly #wire = new LineReader(WIRE_LINE_MAX);
  #transcript: Transcript | undefined;
  #lines: LineProtection | undefined;

  constructor(mechanisms: readonly string[]) {
    if (needsTranscript(mechanisms)) this.#transcript = new Transcript();
  }

  /** All that was said so far; undefined where nothing will ask for it. */
  get transcript(): Transcript | undefined {
    return this.#transcript;
  }

  get lines(): LineProtection | undefined {
    return this.#lines;
  }

  forgetTranscript(): void {
    this.#transcript = undefined;
  }

  /** From here on every line of either side is protected. */
  raise(lines: LineProtection): void {
    this.#lines = lines;
    this.#transcript = undefined;
  }

  /** A line with its line end as it goes on the wire; undefined for one that may not be sent. */
  seal(line: Buffer): { readonly wire: Uint8Array; readonly sequence?: number } | undefined {
    this.#transcript?.fromClient(line);
    return this.#lines === undefined ? { wire: line } : this.#lines.seal(withoutLineEnd(line));
  }

  /** Replies out of the bytes of the wire, whole lines only; undefined for what is not protected as it should be. */
  open(bytes: Uint8Array): Uint8Array | undefined {
    const lines = this.#lines;
    this.#transcript?.fromServer(bytes);
    if (lines === undefined) return bytes;
    const opened: Buffer[] = [];
    this.#wire.push(bytes);
    for (let read = this.#wire.read(); read.kind !== 'need-more'; read = this.#wire.read()) {
      const line = read.kind === 'line' ? lines.open(withoutLineEnd(read.raw)) : undefined;
      if (line === undefined) return undefined;
      opened.push(line, CRLF);
    }
    return Buffer.concat(opened);
  }
}
