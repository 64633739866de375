// Seeded randomness: the same seed gives the same choices, though not the same instants.

/** One stream of choices. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to but not including 1 (mulberry32). */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.roll() < probability;
  }

  between(low: number, high: number): number {
    return low + this.roll() * (high - low);
  }

  /** A whole number, both ends included. */
  count(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.roll() * values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }

  shuffle<T>(values: readonly T[]): readonly T[] {
    const keyed = values.map((value) => ({ value, key: this.roll() }));
    return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
  }

  /** A stream of its own for one part of the run, so that the others' pace does not change its choices. */
  fork(): Dice {
    return new Dice(Math.floor(this.roll() * 2 ** 32));
  }
}
