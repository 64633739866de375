// Public-key operations, one connection at a time and at most half of the time: whoever asks for many of them at once slows down
// others who ask, and nobody's transfers.

/** One for a process. Bounded by its callers: each connection waits for one turn at a time, and gives up after a while. */
export class HandshakeTurns {
  readonly #waiting: (() => void)[] = [];
  #busy = false;

  /** `run` is called later, exactly once; it does its work before it returns. */
  take(run: () => void): void {
    this.#waiting.push(run);
    if (this.#busy) return;
    this.#busy = true;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    const run = this.#waiting.shift();
    if (run === undefined) {
      this.#busy = false;
      return;
    }
    const begun = performance.now();
    run();
    setTimeout(this.#next, Math.ceil(performance.now() - begun));
  };
}
