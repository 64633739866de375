// How the report writes numbers.
import type { Ratio, Verdict } from '../results.js';
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

/** For example `at least 1.00: 1.04, met`. */
export function formatVerdict(verdict: Verdict): string {
  const { kind, ratio } = verdict.goal.bound;
  return `${kind} ${formatNumber(ratio)}: ${formatRatio(verdict.ratio)}, ${verdict.met ? 'met' : 'missed'}`;
}
