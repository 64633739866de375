// What the proxy has done since its start, in numbers that only grow. Kept for monitoring; no name and no address is in it.
import type { SessionState } from '../pool/messages.js';

export interface Counts {
  readonly secured: number;
  readonly cleartext: number;
  readonly refused: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly workersLost: number;
}

/** See the head of the file. */
export class Counters {
  #counts: Counts = { secured: 0, cleartext: 0, refused: 0, bytesUp: 0, bytesDown: 0, workersLost: 0 };

  get now(): Counts {
    return this.#counts;
  }

  /** A session changed from `last` (undefined: it is new) to `state`. */
  session(state: SessionState, last: SessionState | undefined): void {
    const { protection } = state;
    const grown = (after: number, before = 0) => Math.max(0, after - before);
    this.#add('bytesUp', grown(state.bytesUp, last?.bytesUp));
    this.#add('bytesDown', grown(state.bytesDown, last?.bytesDown));
    if (protection === last?.protection) return;
    if (protection === 'secured' || protection === 'cleartext') this.#add(protection, 1);
  }

  refused(): void {
    this.#add('refused', 1);
  }

  workerLost(): void {
    this.#add('workersLost', 1);
  }

  #add(what: keyof Counts, amount: number): void {
    this.#counts = { ...this.#counts, [what]: this.#counts[what] + amount };
  }
}
