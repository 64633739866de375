// How the report writes numbers.
import { limitOf, type Ratio, type Verdict } from '../results.js';
import type { Interval } from '../statistics.js';

/** Three significant digits, and no more decimals than they need. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

/** For example `0.98 (0.91 to 1.04)`. */
export function formatRatio(ratio: Ratio): string {
  return `${formatNumber(ratio.median)} (${formatInterval(ratio.range)})`;
}

export function formatInterval(interval: Interval): string {
  return `${formatNumber(interval.low)} to ${formatNumber(interval.high)}`;
}

/** What a goal is judged by: a quotient with its range, or a difference or a figure with its unit. */
export function formatOutcome({ goal, outcome }: Verdict): string {
  const { bound, unit = '' } = goal;
  if ('ratio' in bound) return formatRatio(outcome);
  return 'beyond' in bound ? `+${formatRatio(outcome)} ${unit}` : `${formatRatio(outcome)} ${unit}`;
}

/** What a goal asks, for example `at least 1.30 × mod_proxy`, `at most plain + 1.00 ms`. */
export function formatBound({ goal, reference }: Verdict): string {
  const { bound, unit = '' } = goal;
  const limit = formatNumber(limitOf(bound));
  if ('ratio' in bound) return `${bound.kind} ${limit} × ${reference ?? ''}`;
  return 'beyond' in bound ? `at most ${bound.to} + ${limit} ${unit}` : `at most ${limit} ${unit}`;
}
