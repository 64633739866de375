// Whether somebody still answers, asked at every beat. Counted in beats and not in time: after a sleep of the machine, or a pause of
// the asking process, one late beat must not look like a dead partner.

export interface HeartbeatOptions {
  /** Questions in a row that may stay without an answer. */
  readonly patience: number;
  /** Asks; the answer brings the same number. */
  readonly ask: (number: number) => void;
}

/** Of one partner. The caller has the clock. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #asked = 0;
  #answered = 0;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** Asks once more, or says that patience is at its end. */
  beat(): 'well' | 'silent' {
    if (this.#asked - this.#answered >= this.#options.patience) return 'silent';
    this.#asked += 1;
    this.#options.ask(this.#asked);
    return 'well';
  }

  /** The partner answered. A number that was never asked, or is older than the last, changes nothing. */
  heard(number: number): void {
    if (number <= this.#asked) this.#answered = Math.max(this.#answered, number);
  }
}
