// When a thread has had nothing to do for a while, its memory goes back: after its start, and again after more work.
import { getHeapStatistics } from 'node:v8';
import { returnMemory } from './memory-return.js';

/** Milliseconds. What a start sets off is over by then. */
const AFTER_START_MS = 1_000;
/** Who opens one connection after the other is not to wait for a collection between two of them. */
const AFTER_WORK_MS = 30_000;
/** By how many bytes the heap must have grown since the last time. */
const WORTH_IT = 4 * 1024 * 1024;

/** What tests replace. */
export interface QuietParts {
  readonly afterStartMs: number;
  readonly afterWorkMs: number;
  readonly heapBytes: () => number;
  readonly returnMemory: () => void;
}

const ownParts: QuietParts = {
  afterStartMs: AFTER_START_MS,
  afterWorkMs: AFTER_WORK_MS,
  heapBytes: () => getHeapStatistics().total_physical_size,
  returnMemory,
};

/** To be made once in a thread, when it is ready. Keeps no process alive. */
export class QuietTimes {
  readonly #parts: QuietParts;
  #timer: NodeJS.Timeout;
  #isWorking = false;
  #kept = 0;

  constructor(parts = ownParts) {
    this.#parts = parts;
    this.#timer = this.#lookAfter(parts.afterStartMs);
  }

  /** To be called while there is work, as often as one likes. What is open and does nothing is none. */
  work(): void {
    if (this.#isWorking) {
      this.#timer.refresh();
      return;
    }
    this.#isWorking = true;
    clearTimeout(this.#timer);
    this.#timer = this.#lookAfter(this.#parts.afterWorkMs);
  }

  #lookAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#isWorking = false;
      if (this.#parts.heapBytes() < this.#kept + WORTH_IT) return;
      this.#parts.returnMemory();
      this.#kept = this.#parts.heapBytes();
    }, ms).unref();
  }
}
