// What a piece of work of the benchmark is.
import type { Contender } from '../contenders/contender.js';
import type { Field } from '../field.js';
import type { Metric, Sample } from '../results.js';
import type { Sizes } from '../sizes.js';

/** What a piece of work measured at one contender in one round. */
export type Measured = Pick<Sample, 'value' | 'cpu' | 'clientCpu' | 'raw'>;

/** A piece of work that every contender does, one after the other, in every round. */
export interface Work {
  readonly metric: Metric;
  /** Why this contender does not do it, or undefined. */
  obstacle(contender: Contender): string | undefined;
  perform(contender: Contender, field: Field, sizes: Sizes): Promise<Measured>;
}
