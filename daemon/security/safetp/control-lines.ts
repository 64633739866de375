// Protected control lines: ENC from the client, 632 from the server. One object per direction counts its lines; it is dead after
// the first line that does not hold.
import { fromBase64, toBase64 } from './base64.js';
import { controlHeader } from './header.js';
import { INNER_LINE_MAX, SEQUENCE_END, WIRE_LINE_MAX } from './limits.js';
import { attempt, malformed } from './malformed.js';
import { protect, unprotect, type DirectionKeys } from './protect.js';
import type { Random } from './random.js';
import type { Direction, SessionKeys } from './session-keys.js';

const PREFIXES: Readonly<Record<Direction, string>> = { c2s: 'ENC ', s2c: '632 ' };
const CR = 0x0d;
const LF = 0x0a;

/** A line as it goes on the wire, with CRLF, and its number: for a transfer command the transfer's name. */
export interface SealedLine {
  readonly wire: Buffer;
  readonly sequence: number;
}

export type OpenedLine =
  | { readonly kind: 'line'; readonly line: Buffer; readonly sequence: number }
  /** In clear, or not authentic: the session must end. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'broken' };

/** May this line be protected, and will the peer take it? No line break inside, and not too long. */
export function isInnerLine(line: Uint8Array): boolean {
  if (line.length > INNER_LINE_MAX) return false;
  return line.every((byte, at) => byte !== LF && (byte !== CR || line[at + 1] === 0));
}

/** A line of the wire without its CRLF or LF. */
export function withoutLineEnd(line: Buffer): Buffer {
  const end = line.at(-1) === LF ? line.length - 1 : line.length;
  return line.subarray(0, line[end - 1] === CR ? end - 1 : end);
}

/** Protects what this side says. */
export class LineSealer {
  readonly #direction: Direction;
  readonly #keys: DirectionKeys;
  readonly #random: Random;
  #sequence = 0;

  constructor(direction: Direction, keys: SessionKeys, random: Random) {
    this.#direction = direction;
    this.#keys = keys.control(direction);
    this.#random = random;
  }

  /** Throws a Fault of code `protocol` for a line that may not be protected, or when the numbers are used up. */
  seal(line: Uint8Array): SealedLine {
    if (!isInnerLine(line)) throw malformed('a line that is too long or holds a line break can’t be sent');
    const sequence = this.#sequence;
    if (sequence >= SEQUENCE_END) throw malformed('a session has sent all the lines it can');
    this.#sequence += 1;
    const header = controlHeader(this.#direction, sequence);
    const block = protect(this.#keys, 'control', header, line, this.#random);
    const wire = Buffer.from(`${PREFIXES[this.#direction]}${toBase64(block)}\r\n`, 'latin1');
    return { wire, sequence };
  }
}

/** Reads what the peer says. */
export class LineOpener {
  readonly #direction: Direction;
  readonly #keys: DirectionKeys;
  #sequence = 0;
  #dead = false;

  /** `direction` is the one in which the lines come. */
  constructor(direction: Direction, keys: SessionKeys) {
    this.#direction = direction;
    this.#keys = keys.control(direction);
  }

  /** A whole line without CRLF. Never throws for what a peer sent; every cause of failure looks the same. */
  open(wire: Uint8Array): OpenedLine {
    const text = Buffer.from(wire.buffer, wire.byteOffset, wire.byteLength).toString('latin1');
    const prefix = PREFIXES[this.#direction];
    if (this.#dead) return { kind: 'broken' };
    if (text.slice(0, prefix.length).toUpperCase() !== prefix) {
      this.#dead = true;
      return { kind: 'clear' };
    }
    const opened = attempt(() => this.#unprotect(text.slice(prefix.length)));
    if (opened.kind === 'malformed') {
      this.#dead = true;
      return { kind: 'broken' };
    }
    const sequence = this.#sequence;
    this.#sequence += 1;
    return { kind: 'line', line: opened.value, sequence };
  }

  #unprotect(base64: string): Buffer {
    if (this.#sequence >= SEQUENCE_END) throw malformed('more lines than a session can have');
    const header = controlHeader(this.#direction, this.#sequence);
    const line = unprotect(this.#keys, 'control', header, fromBase64(base64, WIRE_LINE_MAX));
    if (!isInnerLine(line)) throw malformed('a line break inside a line');
    return line;
  }
}
