// Bytes a second over the last two minutes, out of the counters of sessions that come and go.
import type { RateSample } from './wire.js';

interface Counters {
  readonly up: number;
  readonly down: number;
}

/** One sample a second for two minutes. */
export const MAX_SAMPLES = 120;

export class RateMeter {
  readonly #samples: RateSample[] = [];
  #last = new Map<string, Counters>();
  #lastAt: number | undefined;

  get samples(): readonly RateSample[] {
    return this.#samples;
  }

  /** Takes the counters as they are at `now` (Unix milliseconds). The first call only sets the mark. */
  take(
    sessions: readonly (Counters & { readonly id: string; readonly startedAt: number })[],
    now: number,
  ): void {
    const moved = { up: 0, down: 0 };
    const isFirst = this.#lastAt === undefined;
    for (const { id, up, down, startedAt } of sessions) {
      // Of a session that was there before it was seen here, only what comes from now on counts.
      const isNew = !isFirst && startedAt >= (this.#lastAt ?? now);
      const before = this.#last.get(id) ?? (isNew ? { up: 0, down: 0 } : { up, down });
      moved.up += Math.max(0, up - before.up);
      moved.down += Math.max(0, down - before.down);
    }
    const seconds = Math.max(0.001, (now - (this.#lastAt ?? now)) / 1000);
    this.#samples.push({
      at: now,
      up: Math.round(moved.up / seconds),
      down: Math.round(moved.down / seconds),
    });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    this.#last = new Map(sessions.map(({ id, up, down }) => [id, { up, down }]));
    this.#lastAt = now;
  }
}
