// Watches one section of a run: writes its progress with an estimate of what is left, and keeps its measurements.
import { Estimate, formatDuration, type Progress } from './progress.js';
import type { Sample } from './results.js';

/** What the estimate says of the sections that come after this one. */
export interface Later {
  readonly sections: number;
  /** What those of them took that have said so, in an earlier run. */
  readonly milliseconds: number;
  /** Those that have not. */
  readonly unknown: number;
}

export class SectionWatch implements Progress {
  readonly #write: (line: string) => void;
  readonly #later: Later;
  readonly #estimate = new Estimate();
  readonly #samples: Sample[] = [];

  constructor(write: (line: string) => void, later: Later) {
    this.#write = write;
    this.#later = later;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  say(line: string): void {
    const left = this.#estimate.left();
    this.#write(left === undefined ? line : `${line} · left: ${formatDuration(left)}${after(this.#later)}`);
  }

  expect(names: readonly string[]): void {
    this.#estimate.expect(names);
  }

  done(name: string, milliseconds: number): void {
    this.#estimate.done(name, milliseconds);
  }

  keep(samples: readonly Sample[]): void {
    this.#samples.push(...samples);
  }
}

function after({ sections, milliseconds, unknown }: Later): string {
  if (sections === 0) return '';
  const more = sections === 1 ? 'one more section' : `${sections} more sections`;
  if (unknown === sections) return `, then ${more}`;
  const reserve = unknown === 0 ? '' : `, and ${unknown} of them not known`;
  return `, then ${more} (${formatDuration(milliseconds)}${reserve})`;
}
