// The timers that a session asks for by name, one of each.

export class NamedTimers<Name extends string> {
  readonly #timers = new Map<Name, NodeJS.Timeout>();
  readonly #onExpired: (name: Name) => void;

  constructor(onExpired: (name: Name) => void) {
    this.#onExpired = onExpired;
  }

  /** In place of the one of that name that runs. */
  set(name: Name, ms: number): void {
    this.clear(name);
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#onExpired(name);
      }, ms),
    );
  }

  clear(name: Name): void {
    clearTimeout(this.#timers.get(name));
  }

  clearAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
