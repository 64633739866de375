// Data in protected blocks, as streams: a writer and a reader that hold at most one block. The end is a block of its own, so a cut
// never looks like the end of a file.
import { u32 } from './encoding.js';
import { dataHeader, type DataLevel } from './header.js';
import { BLOCKS_PER_KEY, SEQUENCE_END } from './limits.js';
import { attempt, malformed } from './malformed.js';
import { equalBytes, hmacSha1 } from './native/digest.js';
import { MAC_BYTES, protect, unprotect, type DirectionKeys } from './protect.js';
import type { Random } from './random.js';
import type { Direction, SessionKeys } from './session-keys.js';

const LENGTH_BYTES = 4;
const HEADER_BYTES = 12;

/** One transfer in one direction. */
export interface DataStreamOptions {
  readonly keys: SessionKeys;
  readonly direction: Direction;
  readonly level: DataLevel;
  /** The sequence number of the request line that asked for the transfer. */
  readonly fileSequence: number;
  /** The negotiated PBSZ: at most so many data bytes in a block. */
  readonly bufferSize: number;
}

/** The smallest and the largest length that may stand in front of a block. */
export function blockLengths(
  level: DataLevel,
  bufferSize: number,
): { readonly min: number; readonly max: number } {
  return level === 'P'
    ? { min: 48, max: 16 + 8 * Math.floor((bufferSize + 32) / 8) }
    : { min: HEADER_BYTES + MAC_BYTES, max: bufferSize + HEADER_BYTES + MAC_BYTES };
}

/** The number, header and keys of the block that comes next; keys are made anew every 64 blocks. */
class BlockCounter {
  readonly #options: DataStreamOptions;
  #block = 0;
  #keys: DirectionKeys | undefined;

  constructor(options: DataStreamOptions) {
    this.#options = options;
  }

  next(): { readonly header: Buffer; readonly keys: DirectionKeys } {
    const { keys, direction, level, fileSequence } = this.#options;
    const block = this.#block;
    if (block >= SEQUENCE_END) throw malformed('more blocks than a file can have');
    this.#block += 1;
    if (this.#keys === undefined || block % BLOCKS_PER_KEY === 0)
      this.#keys = keys.data(direction, fileSequence, block);
    return { header: dataHeader(direction, level, fileSequence, block), keys: this.#keys };
  }
}

/** Turns data into blocks. */
export class BlockWriter {
  readonly #options: DataStreamOptions;
  readonly #random: Random;
  readonly #counter: BlockCounter;

  constructor(options: DataStreamOptions, random: Random) {
    this.#options = options;
    this.#random = random;
    this.#counter = new BlockCounter(options);
  }

  /** The blocks of these bytes, as many as it takes; empty bytes give none. */
  write(bytes: Uint8Array): readonly Buffer[] {
    const blocks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += this.#options.bufferSize)
      blocks.push(...this.#block(bytes.subarray(at, at + this.#options.bufferSize)));
    return blocks;
  }

  /** The block that ends the file. Only for a source that ended regularly; nothing may be written after it. */
  end(): readonly Buffer[] {
    return this.#block(Buffer.alloc(0));
  }

  #block(data: Uint8Array): readonly Buffer[] {
    const { header, keys } = this.#counter.next();
    if (this.#options.level === 'P') {
      const block = protect(keys, 'data', header, data, this.#random);
      return [u32(block.length), block];
    }
    const mac = hmacSha1(keys.mac, header, data);
    return [u32(header.length + data.length + MAC_BYTES), header, Buffer.from(data), mac];
  }
}

export type BlockRead =
  /** What these bytes brought; `ended` when the authenticated end has come. */
  | { readonly kind: 'data'; readonly data: readonly Buffer[]; readonly ended: boolean }
  /** Not authentic, too long, or behind the end: the transfer has failed, and nothing more is read. */
  | { readonly kind: 'broken'; readonly data: readonly Buffer[] };

/** Turns blocks into data. What it gave out of a transfer that breaks later must not pass as a whole file. */
export class BlockReader {
  readonly #options: DataStreamOptions;
  readonly #counter: BlockCounter;
  readonly #limits: { readonly min: number; readonly max: number };
  /** Either the length field or the block that is being gathered, and how much of it is there. */
  #gathering = Buffer.alloc(LENGTH_BYTES);
  #have = 0;
  #part: 'length' | 'block' = 'length';
  #state: 'reading' | 'ended' | 'broken' = 'reading';

  constructor(options: DataStreamOptions) {
    this.#options = options;
    this.#counter = new BlockCounter(options);
    this.#limits = blockLengths(options.level, options.bufferSize);
  }

  /** The end has come, authentic. A connection that closes before has been cut. */
  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** The next bytes of the connection, cut anywhere. Never throws for what a peer sent. */
  push(bytes: Uint8Array): BlockRead {
    const data: Buffer[] = [];
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#state !== 'reading') this.#state = 'broken';
      if (this.#state === 'broken') return { kind: 'broken', data };
      const taken = Math.min(rest.length, this.#gathering.length - this.#have);
      this.#gathering.set(rest.subarray(0, taken), this.#have);
      this.#have += taken;
      rest = rest.subarray(taken);
      if (this.#have === this.#gathering.length) this.#onPart(data);
    }
    // The getter: what #onPart did to the state is invisible to the type checker here.
    return this.#broken() ? { kind: 'broken', data } : { kind: 'data', data, ended: this.ended };
  }

  #broken(): boolean {
    return this.#state === 'broken';
  }

  #onPart(data: Buffer[]): void {
    const whole = this.#gathering;
    this.#have = 0;
    if (this.#part === 'length') {
      this.#expectBlock(whole.readUInt32BE(0));
      return;
    }
    this.#part = 'length';
    this.#gathering = Buffer.alloc(LENGTH_BYTES);
    const opened = attempt(() => this.#open(whole));
    if (opened.kind === 'malformed') this.#state = 'broken';
    else if (opened.value.length === 0) this.#state = 'ended';
    else data.push(opened.value);
  }

  /** Before any memory is taken: is this a length that a block can have? */
  #expectBlock(length: number): void {
    const { min, max } = this.#limits;
    const possible = length >= min && length <= max && (this.#options.level === 'S' || length % 8 === 0);
    if (!possible) {
      this.#state = 'broken';
      return;
    }
    this.#part = 'block';
    this.#gathering = Buffer.alloc(length);
  }

  #open(block: Buffer): Buffer {
    const { header, keys } = this.#counter.next();
    const data =
      this.#options.level === 'P' ? unprotect(keys, 'data', header, block) : openSafe(keys, header, block);
    // The padding of the last block lets a length pass that holds a few bytes too many.
    if (data.length > this.#options.bufferSize) throw malformed('a block beyond PBSZ');
    return data;
  }
}

function openSafe(keys: DirectionKeys, header: Buffer, block: Buffer): Buffer {
  const covered = block.subarray(0, -MAC_BYTES);
  const authentic = equalBytes(hmacSha1(keys.mac, covered), block.subarray(-MAC_BYTES));
  if (!authentic || !equalBytes(covered.subarray(0, HEADER_BYTES), header))
    throw malformed('something that is not authentic');
  return covered.subarray(HEADER_BYTES);
}
