// What both directions of a transfer share: the count, the one outcome, the watch for a standstill, and letting go.
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { DataOutcome } from '../ftp/data-outcome.js';

/** Milliseconds for the peer to close after this side has; then the connection is dropped. As patient as vsftpd and curl. */
export const PEER_CLOSE_MS = 15_000;

/** Bytes queued for the slower side at which the faster one is no longer read; a read that is under way comes on top. */
const QUEUED_BYTES = 256 * 1024;

/** Bytes that may come from the side that has nothing to send (line ends, stray alerts) before it is taken for hostile. */
const STRAY_BYTES_MAX = 1024 * 1024;

export type OutcomeKind = DataOutcome['kind'];

export class TransferRun {
  readonly #onBytes: (count: number) => void;
  readonly #resolve: (outcome: DataOutcome) => void;
  readonly #stall: NodeJS.Timeout | undefined;
  readonly #cleanups: (() => void)[] = [];
  #bytes = 0;
  #strayBytes = 0;
  #settled = false;

  constructor(options: {
    readonly onBytes: (count: number) => void;
    readonly resolve: (outcome: DataOutcome) => void;
    readonly stallMs: number | undefined;
    readonly onStall: () => void;
  }) {
    this.#onBytes = options.onBytes;
    this.#resolve = options.resolve;
    if (options.stallMs !== undefined) this.#stall = setTimeout(options.onStall, options.stallMs);
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Listens until the outcome stands. */
  on(emitter: EventEmitter, event: string, listener: () => void): void {
    emitter.on(event, listener);
    this.#cleanups.push(() => emitter.off(event, listener));
  }

  /** Bytes were moved. */
  progress(count: number): void {
    this.#bytes += count;
    this.#stall?.refresh();
    this.#onBytes(count);
  }

  /** Counts bytes against the direction of the transfer; false if they are too many. */
  tolerates(stray: number): boolean {
    this.#strayBytes += stray;
    return this.#strayBytes <= STRAY_BYTES_MAX;
  }

  /** The first call decides the outcome and returns true. */
  settle(kind: OutcomeKind): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#stall);
    for (const cleanup of this.#cleanups) cleanup();
    this.#resolve({ kind, bytes: this.#bytes });
    return true;
  }
}

/** The destination's queue is full and a `drain` will come when it is empty. */
export function isFull(destination: Duplex): boolean {
  return destination.writableNeedDrain && destination.writableLength >= QUEUED_BYTES;
}

/**
 * Waits for the peer to close a connection that this side has ended and goes on reading, whose consumer discards what still
 * comes: closing at once with bytes unread would make the kernel send a reset, and the peer would lose what it has not read yet.
 */
export function linger(socket: Duplex, milliseconds: number): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => {
    socket.destroy();
  }, milliseconds);
  timer.unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
