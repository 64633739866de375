// What a piece of work of the benchmark is, whoever does it. `E` is what takes part, `C` what a measurement needs besides.
import type { Metric, Sample } from './results.js';

/** What takes part: a contender of a section. */
export interface Entrant {
  readonly name: string;
  /** What its programs have printed and logged, for the message of a failure. */
  log(): string;
}

/** What a piece of work measured at one contender in one round. */
export type Measured = Pick<Sample, 'value' | 'cpu' | 'clientCpu' | 'raw'>;

/** A piece of work that every contender does, one after the other, in every round. */
export interface Work<E extends Entrant, C> {
  readonly metric: Metric;
  /** Why this contender does not do it, or undefined. */
  obstacle(entrant: E): string | undefined;
  perform(entrant: E, context: C): Promise<Measured>;
}
