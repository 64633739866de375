// What the negotiation leaves: the two directions of control lines, and streams of data blocks. Both sides use it alike.
import { BlockReader, BlockWriter } from './data-blocks.js';
import type { DataLevel } from './header.js';
import { LineOpener, LineSealer } from './control-lines.js';
import type { Random } from './random.js';
import type { Direction, SessionKeys } from './session-keys.js';

/** One transfer, by the request line that asked for it. */
export interface TransferProtection {
  readonly level: DataLevel;
  readonly fileSequence: number;
  readonly bufferSize: number;
}

/** One secured connection, seen from one side. */
export class SafetpSession {
  /** What this side says. */
  readonly sealer: LineSealer;
  /** What the peer says. */
  readonly opener: LineOpener;
  /** What DIGT must answer. */
  readonly digest: Buffer;
  readonly #keys: SessionKeys;
  readonly #ours: Direction;
  readonly #theirs: Direction;
  readonly #random: Random;

  constructor(role: 'client' | 'server', keys: SessionKeys, digest: Buffer, random: Random) {
    this.#keys = keys;
    this.#ours = role === 'client' ? 'c2s' : 's2c';
    this.#theirs = role === 'client' ? 's2c' : 'c2s';
    this.#random = random;
    this.digest = digest;
    this.sealer = new LineSealer(this.#ours, keys, random);
    this.opener = new LineOpener(this.#theirs, keys);
  }

  /** For data that this side sends. */
  blockWriter(transfer: TransferProtection): BlockWriter {
    return new BlockWriter({ ...transfer, keys: this.#keys, direction: this.#ours }, this.#random);
  }

  /** For data that the peer sends. */
  blockReader(transfer: TransferProtection): BlockReader {
    return new BlockReader({ ...transfer, keys: this.#keys, direction: this.#theirs });
  }
}
