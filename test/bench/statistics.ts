// The few statistics that the benchmark reports. Pure.

/** The middle value, or the mean of the two in the middle. Throws for an empty list. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which the share `at` (0 to 1) of the values lies, interpolated. Throws for an empty list. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const position = at * (sorted.length - 1);
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new Error('no values');
  return below + (above - below) * (position - Math.floor(position));
}

/** A range of numbers, both ends included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The smallest and the largest value. */
export function range(values: readonly number[]): Interval {
  return { low: Math.min(...values), high: Math.max(...values) };
}

const resamples = 2000;

/** The 95 % bootstrap interval of the median; the same values give the same interval. */
export function medianInterval(values: readonly number[]): Interval {
  const random = generator(values.length);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map((_, index) => values[Math.floor(random() * values.length)] ?? values[index] ?? 0)),
  );
  return { low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** A linear congruential generator (constants of Numerical Recipes); good enough to resample, and repeatable. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
