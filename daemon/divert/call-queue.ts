// The calls of a redirect layer, one after the other: each finds what the one before has left, even where that one failed.

export class CallQueue {
  #last: Promise<void> = Promise.resolve();

  /** Runs `call` when all earlier ones have ended; resolves or rejects as it does. */
  run(call: () => Promise<void>): Promise<void> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
