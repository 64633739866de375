// The numbers of a run and what they come down to: medians, and ratios within the rounds. Pure.
import { median, range, type Interval } from './statistics.js';

/** What is measured and in which unit. */
export interface Metric {
  /** As in `--work` and in the samples. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** What the CPU time is divided by, for example `GiB`; undefined where it says nothing. */
  readonly cpuPer: string | undefined;
}

/** One measurement. */
export interface Sample {
  readonly metric: string;
  readonly contender: string;
  readonly round: number;
  readonly value: number;
  /** CPU seconds of the programs under test and of the client, for each of the metric's `cpuPer`. */
  readonly cpu: number | undefined;
  readonly clientCpu: number | undefined;
  /** Everything else that was seen, for the JSON. */
  readonly raw: Readonly<Record<string, number>>;
}

/** A metric of one contender over all rounds; ratios are to the same contender's measurement in the same round. */
export interface Summary {
  readonly metric: Metric;
  readonly contender: string;
  readonly value: number;
  readonly range: Interval;
  readonly cpu: number | undefined;
  readonly clientCpu: number | undefined;
}

/** The quotient of two contenders: the median over the rounds, and the smallest and largest of a round. */
export interface Ratio {
  readonly median: number;
  readonly range: Interval;
}

function of(samples: readonly Sample[], metric: string, contender: string): readonly Sample[] {
  return samples.filter((sample) => sample.metric === metric && sample.contender === contender);
}

function defined(values: readonly (number | undefined)[]): readonly number[] {
  return values.filter((value) => value !== undefined);
}

/** Undefined if the contender has no sample of the metric. */
export function summarise(
  samples: readonly Sample[],
  metric: Metric,
  contender: string,
): Summary | undefined {
  const own = of(samples, metric.name, contender);
  if (own.length === 0) return undefined;
  const values = own.map((sample) => sample.value);
  const middle = (all: readonly number[]): number | undefined => (all.length === 0 ? undefined : median(all));
  return {
    metric,
    contender,
    value: median(values),
    range: range(values),
    cpu: middle(defined(own.map((sample) => sample.cpu))),
    clientCpu: middle(defined(own.map((sample) => sample.clientCpu))),
  };
}

/** `contender` divided by `reference`, round by round. Undefined when no round has both. */
export function ratio(
  samples: readonly Sample[],
  metric: string,
  pair: Pair,
  read: (sample: Sample) => number | undefined = (sample) => sample.value,
): Ratio | undefined {
  const quotients = of(samples, metric, pair.contender).flatMap((sample) => {
    const other = of(samples, metric, pair.reference).find((candidate) => candidate.round === sample.round);
    const above = read(sample);
    const below = other === undefined ? undefined : read(other);
    return above === undefined || below === undefined || below === 0 ? [] : [above / below];
  });
  return quotients.length === 0 ? undefined : { median: median(quotients), range: range(quotients) };
}

/** Whose ratio to whom. */
export interface Pair {
  readonly contender: string;
  readonly reference: string;
}

/** A quotient with a contender (the first reference, unless another is named), a difference to one, or a figure by itself. */
export type Bound =
  | { readonly kind: 'at least' | 'at most'; readonly ratio: number; readonly to?: string | undefined }
  | { readonly kind: 'at most'; readonly beyond: number; readonly to: string }
  | { readonly kind: 'at most'; readonly amount: number };

/** A goal of the project. */
export interface Goal {
  readonly text: string;
  readonly metric: string;
  /** What of the samples: the value, the CPU seconds, or something else that was seen, in units of `each`. */
  readonly of: 'value' | 'cpu' | { readonly raw: string; readonly each: number };
  readonly bound: Bound;
  /** Of the figure, for goals that are no ratio. */
  readonly unit?: string | undefined;
}

/** How a goal turned out. */
export interface Verdict {
  readonly goal: Goal;
  /** Whom the goal names; undefined if nobody. */
  readonly reference: string | undefined;
  /** The subject's own figure, median of the rounds. */
  readonly figure: number;
  /** What the bound is about: quotients, differences or the figures themselves. */
  readonly outcome: Ratio;
  readonly met: boolean;
}

/** Those of the goals that these samples can judge. */
export function judge(samples: readonly Sample[], goals: readonly Goal[], pair: Pair): readonly Verdict[] {
  return goals.flatMap((goal) => {
    const read = readerOf(goal);
    const { bound } = goal;
    const reference = 'amount' in bound ? undefined : (bound.to ?? pair.reference);
    const figures = defined(of(samples, goal.metric, pair.contender).map(read));
    const found = outcomeOf(samples, goal, { contender: pair.contender, reference: reference ?? '' });
    if (found === undefined || figures.length === 0) return [];
    const met = bound.kind === 'at least' ? found.median >= limitOf(bound) : found.median <= limitOf(bound);
    return [{ goal, reference, figure: median(figures), outcome: found, met }];
  });
}

/** The number that the outcome is held against. */
export function limitOf(bound: Bound): number {
  if ('ratio' in bound) return bound.ratio;
  return 'beyond' in bound ? bound.beyond : bound.amount;
}

function readerOf({ of: what }: Goal): (sample: Sample) => number | undefined {
  if (what === 'value' || what === 'cpu') return (sample) => sample[what];
  return ({ raw }) => {
    const seen = raw[what.raw];
    return seen === undefined ? undefined : seen / what.each;
  };
}

function outcomeOf(samples: readonly Sample[], goal: Goal, pair: Pair): Ratio | undefined {
  const { bound, metric } = goal;
  const read = readerOf(goal);
  if ('ratio' in bound) return ratio(samples, metric, pair, read);
  const own = of(samples, metric, pair.contender);
  const values = 'amount' in bound ? own.map(read) : own.map((sample) => beyond(samples, sample, pair, read));
  const known = defined(values);
  return known.length === 0 ? undefined : { median: median(known), range: range(known) };
}

function beyond(
  samples: readonly Sample[],
  own: Sample,
  { reference }: Pair,
  read: (sample: Sample) => number | undefined,
): number | undefined {
  const other = of(samples, own.metric, reference).find(({ round }) => round === own.round);
  const [more, less] = [read(own), other === undefined ? undefined : read(other)];
  return more === undefined || less === undefined ? undefined : more - less;
}
