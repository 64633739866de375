// The server's replies, each with the command that it answers. Replies to the client's own commands come line by
// line, those that the core acts on come whole.
import { COLLECTED_REPLY_MAX } from './limits.js';
import type { Exchange, Pairing } from './pairing.js';
import { asOneLine, ReplyReader, replyClass, type Reply, type ReplyLine } from './reply-reader.js';

/** A line to be passed on as it comes. */
export interface StreamedLine {
  readonly kind: 'line';
  /** Undefined for a reply that nobody asked for. */
  readonly exchange: Extract<Exchange, { kind: 'relay' | 'abort' }> | undefined;
  readonly line: ReplyLine;
  readonly code: number;
  /** The first line of its reply. */
  readonly first: boolean;
}

export type StreamRead =
  | StreamedLine
  | {
      readonly kind: 'reply';
      readonly exchange: Exclude<Exchange, { kind: 'relay' | 'abort' }>;
      readonly reply: Reply;
    }
  /** A line of a reply that has to be seen whole and goes on. */
  | { readonly kind: 'more' }
  /** A line that belongs to no reply. */
  | { readonly kind: 'stray'; readonly line: ReplyLine }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'too-long' };

interface Open {
  readonly exchange: Exchange | undefined;
  readonly lines: string[];
  readonly raw: Buffer[];
  bytes: number;
}

/** Holds at most one line, or COLLECTED_REPLY_MAX bytes of a reply that has to be seen whole. */
export class ReplyStream {
  readonly #pairing: Pairing;
  readonly #reader = new ReplyReader();
  #open: Open | undefined;

  constructor(pairing: Pairing) {
    this.#pairing = pairing;
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** The next line, paired; never two at once, because the first one may change what the client's commands may do. */
  read(): StreamRead {
    const read = this.#reader.read();
    if (read.kind !== 'line') return read;
    if (read.line.code === undefined) return { kind: 'stray', line: read.line };
    return this.#take(read.line, read.line.code);
  }

  /** The next line without pairing it: greetings answer nothing. */
  readUnpaired(): ReturnType<ReplyReader['read']> {
    return this.#reader.read();
  }

  get pending(): number {
    return this.#reader.pending;
  }

  /** A reply has begun and not ended, or a line has. */
  get midReply(): boolean {
    return this.#reader.insideReply || this.#reader.pending > 0;
  }

  /** See ReplyReader.isPlausible. */
  get isPlausible(): boolean {
    return this.#reader.isPlausible;
  }

  /** See LineReader.takeRest. */
  takeRest(): Buffer {
    return this.#reader.takeRest();
  }

  #take(line: ReplyLine, code: number): StreamRead {
    const first = this.#open === undefined;
    this.#open ??= { exchange: this.#pairing.match(code), lines: [], raw: [], bytes: 0 };
    const open = this.#open;
    if (line.last) this.#end(code);
    const { exchange } = open;
    if (exchange === undefined || exchange.kind === 'relay' || exchange.kind === 'abort') {
      return { kind: 'line', exchange, line, code, first };
    }
    open.lines.push(line.text);
    open.raw.push(exchange.kind === 'clientAuth' ? asOneLine(line.raw) : line.raw);
    open.bytes += line.raw.length;
    if (open.bytes > COLLECTED_REPLY_MAX) return { kind: 'too-long' };
    if (!line.last) return { kind: 'more' };
    return { kind: 'reply', exchange, reply: { code, lines: open.lines, raw: Buffer.concat(open.raw) } };
  }

  #end(code: number): void {
    this.#open = undefined;
    if (replyClass(code) !== 1) this.#pairing.answered();
  }
}
