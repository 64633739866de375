// The sets of rules under which connections to other ports are measured, and what their times come down to. Pure.
import { median, medianInterval, type Interval } from '../statistics.js';

/** A host's rules: none, ftpseal's, somebody else's, or both. */
export interface Situation {
  readonly about: string;
  readonly hasOurs: boolean;
  /** For nft; what is in the table, undefined for no table. */
  readonly chains: string | undefined;
}

const firewall = `chain in { type filter hook input priority 0; ct state established,related accept; ct state invalid drop; }`;

export const situations = {
  without: { about: 'none', hasOurs: false, chains: undefined },
  tracking: {
    about: 'one rule with `ct state`: connection tracking is at work',
    hasOurs: false,
    chains: 'chain out { type filter hook output priority 0; ct state invalid drop; }',
  },
  redirect: {
    about: 'one `redirect` rule of anybody’s, for port 21',
    hasOurs: false,
    chains: 'chain out { type nat hook output priority -100; tcp dport 21 redirect to :9; }',
  },
  withRules: { about: 'ours', hasOurs: true, chains: undefined },
  firewall: { about: 'a firewall of two rules with `ct state`', hasOurs: false, chains: firewall },
  firewallAndOurs: { about: 'that firewall, and ours', hasOurs: true, chains: firewall },
} as const satisfies Readonly<Record<string, Situation>>;

export type SituationName = keyof typeof situations;
export const situationNames = Object.keys(situations) as readonly SituationName[];

/** What rules these are, for a table. */
export function aboutSituation(name: SituationName): string {
  return situations[name].about;
}

/** Median microseconds of each batch. */
export type ForeignBatches = Readonly<Record<SituationName, readonly number[]>>;

/** How much more one of two takes, batch by batch: the median with its 95 % interval, as a quotient and in microseconds. */
export interface Comparison {
  readonly ratio: number;
  readonly interval: Interval;
  readonly more: number;
  readonly moreInterval: Interval;
}

/** The batches of all rounds. `ratio`: with ftpseal's rules ÷ without any. */
export interface ForeignResult {
  readonly withRules: readonly number[];
  readonly without: readonly number[];
  readonly ratio: number;
  readonly interval: Interval;
  /** All situations, those two included. Runs before 2026-11-21 had none. */
  readonly batches?: ForeignBatches | undefined;
}

/** The same question for each of them. */
export function everySituation(of: (name: SituationName) => readonly number[]): ForeignBatches {
  return {
    without: of('without'),
    tracking: of('tracking'),
    redirect: of('redirect'),
    withRules: of('withRules'),
    firewall: of('firewall'),
    firewallAndOurs: of('firewallAndOurs'),
  };
}

/** Joins the rounds; undefined if nothing was measured. */
export function foreignResult(rounds: readonly ForeignBatches[]): ForeignResult | undefined {
  const batches = everySituation((name) => rounds.flatMap((round) => round[name]));
  const { withRules, without } = batches;
  const compared = compare(withRules, without);
  if (compared === undefined) return undefined;
  return { withRules, without, ratio: compared.ratio, interval: compared.interval, batches };
}

/** Batch by batch; undefined if there is none that both have. */
export function compare(values: readonly number[], base: readonly number[]): Comparison | undefined {
  const pairs = values.flatMap((value, index) => {
    const other = base[index];
    return other === undefined || other === 0 ? [] : [[value, other] as const];
  });
  if (pairs.length === 0) return undefined;
  const quotients = pairs.map(([value, other]) => value / other);
  const differences = pairs.map(([value, other]) => value - other);
  return {
    ratio: median(quotients),
    interval: medianInterval(quotients),
    more: median(differences),
    moreInterval: medianInterval(differences),
  };
}
