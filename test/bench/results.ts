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

/** A goal of the project as a bound on a ratio. */
export interface Goal {
  readonly text: string;
  readonly metric: string;
  readonly of: 'value' | 'cpu';
  readonly bound: { readonly kind: 'at least' | 'at most'; readonly ratio: number };
}

/** How a goal turned out. */
export interface Verdict {
  readonly goal: Goal;
  readonly ratio: Ratio;
  readonly met: boolean;
}

/** Those of the goals that these samples can judge. */
export function judge(samples: readonly Sample[], goals: readonly Goal[], pair: Pair): readonly Verdict[] {
  return goals.flatMap((goal) => {
    const found = ratio(samples, goal.metric, pair, (sample) => sample[goal.of]);
    if (found === undefined) return [];
    const { kind, ratio: bound } = goal.bound;
    return [{ goal, ratio: found, met: kind === 'at least' ? found.median >= bound : found.median <= bound }];
  });
}
