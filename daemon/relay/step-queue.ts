// Events of a session, one at a time: what the effects of one bring waits until all of them were carried out.

export class StepQueue<Event> {
  readonly #step: (event: Event) => void;
  readonly #waiting: Event[] = [];
  #stepping = false;

  constructor(step: (event: Event) => void) {
    this.#step = step;
  }

  /** True when this event and all that it brought are done; false when it waits for the one that is under way. */
  push(event: Event): boolean {
    this.#waiting.push(event);
    if (this.#stepping) return false;
    this.#stepping = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
        this.#step(next);
    } finally {
      this.#stepping = false;
    }
    return true;
  }
}
