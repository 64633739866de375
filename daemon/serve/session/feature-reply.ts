// The reply to FEAT on its way to the client: what the backend says of its own protection is left out, and what this proxy
// can is put in (RFC 2389, RFC 4217 section 6).
import { isOwnFeature } from '../../ftp/features.js';
import { ReplyReader, replyClass, type ReplyLine } from '../../ftp/reply-reader.js';

/** The backend knows no FEAT, or wants a login first: then the list is ours alone. */
const UNKNOWN: readonly number[] = [500, 501, 502, 503, 504, 530];

/** One reply. Holds at most one line. */
export class FeatureReply {
  readonly #own: string;
  readonly #reader = new ReplyReader();
  #begun = false;
  #over = false;

  constructor(words: readonly string[]) {
    this.#own = ` AUTH ${words.join(';')};\r\n PBSZ\r\n PROT\r\n`;
  }

  /** The reply has ended; bytes that come now are not for this object. */
  get over(): boolean {
    return this.#over;
  }

  /** What the client gets for these bytes of the backend. */
  take(bytes: Uint8Array): Buffer {
    this.#reader.push(bytes);
    const out: Buffer[] = [];
    for (;;) {
      if (this.#over) {
        out.push(this.#reader.takeRest());
        break;
      }
      const read = this.#reader.read();
      if (read.kind !== 'line') break;
      out.push(this.#pass(read.line));
    }
    return Buffer.concat(out);
  }

  #pass(line: ReplyLine): Buffer {
    if (line.code === undefined) return line.raw;
    const first = !this.#begun;
    this.#begun = !line.last;
    if (line.last && replyClass(line.code) !== 1) this.#over = true;
    if (first && line.last) return this.#single(line, line.code);
    if (line.code !== 211) return line.raw;
    if (first) return Buffer.concat([line.raw, Buffer.from(this.#own)]);
    return !line.last && isOwnFeature(line.text) ? Buffer.alloc(0) : line.raw;
  }

  #single(line: ReplyLine, code: number): Buffer {
    const isReplaced = code === 211 || UNKNOWN.includes(code);
    return isReplaced ? Buffer.from(`211-Features:\r\n${this.#own}211 End\r\n`) : line.raw;
  }
}
