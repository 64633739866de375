// Reads a server's control connection as reply lines (RFC 959 section 4.2), so that long replies can be streamed.
import { REPLY_LINE_MAX } from './limits.js';
import { LineReader } from './line-reader.js';
import { telnetPrefixLength } from './telnet.js';

/** One line of a reply. */
export interface ReplyLine {
  readonly raw: Buffer;
  /** Without line end, in latin1. */
  readonly text: string;
  /** The code of the reply that this line belongs to; undefined for a line that belongs to none. */
  readonly code: number | undefined;
  /** The reply ends with this line. */
  readonly last: boolean;
}

export type ReplyRead =
  | { readonly kind: 'line'; readonly line: ReplyLine }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'too-long' };

/**
 * Lenient as clients are: inside a multi-line reply any line may stand, and `226` without a space ends it. A line
 * outside a reply that starts with no code is passed on with `code: undefined`. Dead after `too-long`.
 */
export class ReplyReader {
  readonly #lines = new LineReader(REPLY_LINE_MAX);
  #open: number | undefined;

  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  read(): ReplyRead {
    const read = this.#lines.read();
    return read.kind === 'line' ? { kind: 'line', line: this.#classify(read.raw) } : read;
  }

  /** Bytes pushed and not read yet. */
  get pending(): number {
    return this.#lines.pending;
  }

  /** A multi-line reply has begun and not ended. */
  get insideReply(): boolean {
    return this.#open !== undefined;
  }

  /** False when the unread bytes, the start of a line, can't become a reply or a blank line any more. */
  get isPlausible(): boolean {
    if (this.insideReply) return true;
    const rest = this.#lines.peekRest();
    const text = rest.subarray(telnetPrefixLength(rest)).subarray(0, 64).toString('latin1');
    return /^(?:[\t \r]*|[1-6][0-9]{0,2}|[1-6][0-9]{2}(?:[ -][^]*|\r))$/.test(text);
  }

  /** See LineReader.takeRest. */
  takeRest(): Buffer {
    return this.#lines.takeRest();
  }

  #classify(raw: Buffer): ReplyLine {
    const text = raw
      .subarray(telnetPrefixLength(raw))
      .toString('latin1')
      .replace(/\r?\n$/, '');
    const match = /^([1-6][0-9]{2})(?:([ -])|$)/.exec(text);
    const code = match === null ? undefined : Number(match[1]);
    if (this.#open !== undefined) {
      const last = code === this.#open && match?.[2] !== '-';
      const line = { raw, text, code: this.#open, last };
      if (last) this.#open = undefined;
      return line;
    }
    if (match?.[2] === '-') this.#open = code;
    return { raw, text, code, last: code !== undefined && match?.[2] !== '-' };
  }
}

/**
 * A line of the server as one line for every client: some end a line at a bare CR (Python's ftplib does), and would find a second
 * reply in it. For what was said in clear, where anybody can have said it.
 */
export function asOneLine(raw: Buffer): Buffer {
  const end = /\r?\n$/.exec(raw.toString('latin1'))?.index ?? raw.length;
  const text = raw.subarray(0, end);
  if (!text.includes(0x0d) && !text.includes(0)) return raw;
  return Buffer.concat([text.map((byte) => (byte === 0x0d || byte === 0 ? 0x20 : byte)), raw.subarray(end)]);
}

/** A whole reply, where the core has to see all of it. */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
  readonly raw: Buffer;
}

/** 1 to 6: preliminary, completion, intermediate, transient and permanent refusal, protected. */
export function replyClass(code: number): number {
  return Math.floor(code / 100);
}
