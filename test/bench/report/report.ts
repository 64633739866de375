// The report of a run as data: what latest.json holds, and the rows that the table and the plot show. Pure.
import type { ContenderName } from '../contenders/contender.js';
import type { Machine } from '../machine.js';
import {
  judge,
  ratio,
  summarise,
  type Metric,
  type Ratio,
  type Sample,
  type Summary,
  type Verdict,
} from '../results.js';
import type { Sizes } from '../sizes.js';
import type { ForeignResult } from '../work/foreign.js';

/** All of a run. */
export interface Report {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly rounds: number;
  readonly sizes: Sizes;
  readonly contenders: readonly ContenderName[];
  /** Contenders that did not take part, and why. */
  readonly leftOut: Readonly<Partial<Record<ContenderName, string>>>;
  readonly metrics: readonly Metric[];
  readonly samples: readonly Sample[];
  readonly foreign: ForeignResult | undefined;
}

/** One metric: every contender's value, and ftpseal's ratio to each of the others. */
export interface Row {
  readonly metric: Metric;
  readonly values: readonly (Summary | undefined)[];
  readonly ratios: readonly (Ratio | undefined)[];
  readonly cpuToModProxy: Ratio | undefined;
}

/** The contenders that ftpseal is compared with, in the order of a row's ratios. */
export const references = ['mod_proxy', 'native', 'plain'] as const satisfies readonly ContenderName[];

/** The rows of the metrics that were measured. */
export function rowsOf(report: Report): readonly Row[] {
  return report.metrics
    .filter((metric) => report.samples.some((sample) => sample.metric === metric.name))
    .map((metric) => ({
      metric,
      values: report.contenders.map((name) => summarise(report.samples, metric, name)),
      ratios: references.map((reference) =>
        ratio(report.samples, metric.name, { contender: 'ftpseal', reference }),
      ),
      cpuToModProxy: ratio(
        report.samples,
        metric.name,
        { contender: 'ftpseal', reference: 'mod_proxy' },
        (sample) => sample.cpu,
      ),
    }));
}

/** How the goals turned out in this run. */
export function verdictsOf(report: Report): readonly Verdict[] {
  return judge(report.samples);
}
