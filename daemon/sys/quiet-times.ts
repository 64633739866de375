// When a thread has had nothing to do for a while, its memory goes back: after its start, and again after more work.
import { getHeapStatistics } from 'node:v8';
import { returnMemory } from './memory-return.js';

/** Milliseconds. What a start sets off is over by then. */
const AFTER_START_MS = 1_000;
/** Who opens one connection after the other is not to wait for a collection between two of them. */
const AFTER_WORK_MS = 30_000;
/** By how many bytes the heap must have grown since the last time. */
const WORTH_IT = 4 * 1024 * 1024;

/** To be made once in a thread, when it is ready. Keeps no process alive. */
export class QuietTimes {
  #timer = soon(() => {
    this.#returnMemory();
  }, AFTER_START_MS);
  #isWorking = false;
  #kept = 0;

  /** To be called while there is work, as often as one likes: what lasts and does nothing is none. */
  work(): void {
    if (this.#isWorking) {
      this.#timer.refresh();
      return;
    }
    this.#isWorking = true;
    clearTimeout(this.#timer);
    this.#timer = soon(() => {
      this.#isWorking = false;
      this.#returnMemory();
    }, AFTER_WORK_MS);
  }

  #returnMemory(): void {
    if (heapBytes() < this.#kept + WORTH_IT) return;
    returnMemory();
    this.#kept = heapBytes();
  }
}

function soon(action: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(action, ms).unref();
}

function heapBytes(): number {
  return getHeapStatistics().total_physical_size;
}
