// The last part of a transfer, after its server has called it done: a pause in it means that its end was lost.

/** Milliseconds without a byte moving. */
const STALL_MS = 30_000;
const STALL_CHECK_MS = 2_500;

/** Of one transfer. */
export class StallWatch {
  #timer: NodeJS.Timeout | undefined;

  /** `progress` is a text that changes with every byte. Ignored after the first call. */
  start(progress: () => string, onStalled: () => void): void {
    if (this.#timer !== undefined) return;
    let last = '';
    // In looks and not by a clock: what a sleep of the machine takes is no standstill.
    let still = 0;
    this.#timer = setInterval(() => {
      const now = progress();
      if (now !== last) {
        last = now;
        still = 0;
        return;
      }
      still += STALL_CHECK_MS;
      if (still >= STALL_MS) onStalled();
    }, STALL_CHECK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
