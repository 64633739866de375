// What a section tells while it runs: lines for people, what it still has to do, and each measurement as soon as it is there.
import type { Sample } from './results.js';

export interface Progress {
  /** One line for people. */
  say(line: string): void;
  /** Work that will be done, a name for each time that it is; the same name takes about as long each time. */
  expect(names: readonly string[]): void;
  /** That it was done once. */
  done(name: string, milliseconds: number): void;
  /** A measurement, for a run that does not get to its end. */
  keep(samples: readonly Sample[]): void;
}

/** How long announced work will take, judged by what was done. Pure: the caller has the clock. */
export class Estimate {
  readonly #pending = new Map<string, number>();
  readonly #took = new Map<string, number>();

  expect(names: readonly string[]): void {
    for (const name of names) this.#pending.set(name, (this.#pending.get(name) ?? 0) + 1);
  }

  done(name: string, milliseconds: number): void {
    this.#pending.set(name, Math.max(0, (this.#pending.get(name) ?? 0) - 1));
    // Not the mean: the first time is a warm-up, often with less to do.
    this.#took.set(name, milliseconds);
  }

  /** Milliseconds. What was never done takes as long as the others on the average; undefined while nothing is known. */
  left(): number | undefined {
    const known = [...this.#took.values()];
    if (known.length === 0) return undefined;
    const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
    return [...this.#pending].reduce((sum, [name, times]) => sum + times * (this.#took.get(name) ?? mean), 0);
  }
}

/** For example `about 40 s`, `about 12 min`, `about 2 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 100) return `about ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `about ${minutes} min`;
  return `about ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Calls `action`, and says that `name` is done if it did not throw. */
export async function timed<T>(
  progress: Pick<Progress, 'done'>,
  name: string,
  action: () => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const result = await action();
  progress.done(name, performance.now() - began);
  return result;
}
