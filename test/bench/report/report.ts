// The report of a section's run as data: what its JSON file holds, and the rows that the table and the plot show. Pure.
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
import type { ForeignResult } from '../redirect/foreign-result.js';
import type { Sheet } from './sheet.js';

/** What a section has measured. */
export interface Findings {
  readonly sizes: Readonly<Record<string, number>>;
  readonly contenders: readonly string[];
  /** Contenders that did not take part, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** Those contenders that are the subject in another form (`--against`), and which. */
  readonly others?: Readonly<Record<string, string>> | undefined;
  readonly metrics: readonly Metric[];
  readonly samples: readonly Sample[];
  readonly foreign?: ForeignResult | undefined;
}

/** All of a section's run. */
export interface Report extends Findings {
  readonly section: string;
  readonly machine: Machine;
  /** Load averages of 1, 5 and 15 minutes after the run, the run's own work included. */
  readonly loadAfter: readonly number[];
  readonly quick: boolean;
  readonly rounds: number;
  /** How long it took, for the estimate of the next run; runs before 2026-11-21 did not say. */
  readonly seconds?: number | undefined;
}

/** One metric: every contender's value, and the subject's ratio to each of the others. */
export interface Row {
  readonly metric: Metric;
  readonly values: readonly (Summary | undefined)[];
  readonly ratios: readonly (Ratio | undefined)[];
  readonly cpuRatio: Ratio | undefined;
}

/** Those of the sheet's references that took part, and at the end the subject's other forms. */
export function referencesOf(report: Report, sheet: Sheet): readonly string[] {
  return [...sheet.references.filter((name) => report.contenders.includes(name)), ...othersOf(report)];
}

export function othersOf({ others = {} }: Report): readonly string[] {
  return Object.keys(others);
}

/** The rows of the metrics that were measured. */
export function rowsOf(report: Report, sheet: Sheet): readonly Row[] {
  const { samples } = report;
  const { subject } = sheet;
  const references = referencesOf(report, sheet);
  const [first] = references;
  return report.metrics
    .filter((metric) => samples.some((sample) => sample.metric === metric.name))
    .map((metric) => ({
      metric,
      values: report.contenders.map((name) => summarise(samples, metric, name)),
      ratios: references.map((reference) => ratio(samples, metric.name, { contender: subject, reference })),
      cpuRatio:
        first === undefined
          ? undefined
          : ratio(samples, metric.name, { contender: subject, reference: first }, (sample) => sample.cpu),
    }));
}

/** How the goals turned out in this run. */
export function verdictsOf(report: Report, { subject, references, goals }: Sheet): readonly Verdict[] {
  const [reference] = references;
  return reference === undefined ? [] : judge(report.samples, goals, { contender: subject, reference });
}
