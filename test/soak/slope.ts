// The slope of a series of measurements. Pure.

/** A measured value at a time in milliseconds. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

const minute = 60_000;

/** Least squares: how much the value grows in a minute; undefined with fewer than three samples or all at one time. */
export function slopePerMinute(samples: readonly Sample[]): number | undefined {
  if (samples.length < 3) return undefined;
  const meanAt = mean(samples.map(({ at }) => at));
  const meanValue = mean(samples.map(({ value }) => value));
  const spread = samples.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  if (spread === 0) return undefined;
  const joint = samples.reduce((sum, { at, value }) => sum + (at - meanAt) * (value - meanValue), 0);
  return (joint / spread) * minute;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
