// The work that is about single commands: logins, the time to the first listing, and NOOP round trips.
import { median, quantile } from '../statistics.js';
import type { Metric } from '../results.js';
import type { Work } from '../work.js';
import type { Contender } from './contender.js';
import { drive, sessionArguments } from './driver.js';
import type { FtpContext } from './ground.js';
import { withCpu } from './job.js';
import type { FtpSizes } from './sizes.js';

interface Kind {
  readonly metric: Metric;
  readonly command: string;
  count(sizes: FtpSizes): number;
  readonly obstacle?: (contender: Contender) => string | undefined;
  /** How many of the metric's unit a second has, and how many times make one of its `cpuPer`. */
  readonly perSecond: number;
  readonly cpuCount: number;
}

function sessionWork(kind: Kind): Work<Contender, FtpContext> {
  return {
    metric: kind.metric,
    obstacle: kind.obstacle ?? (() => undefined),
    perform: async (contender, { ground, sizes }) => {
      const count = kind.count(sizes);
      const args = sessionArguments(contender, count);
      const { result, ownCpu } = await withCpu(contender, () =>
        drive(ground, contender.namespace, kind.command, args),
      );
      const scaled = (seconds: number): number => seconds * kind.perSecond;
      return {
        value: scaled(median(result.times)),
        cpu: ownCpu === undefined ? undefined : (ownCpu / count) * kind.cpuCount,
        clientCpu: (result.cpu / count) * kind.cpuCount,
        raw: {
          count,
          mean: scaled(result.times.reduce((sum, time) => sum + time, 0) / count),
          p10: scaled(quantile(result.times, 0.1)),
          p90: scaled(quantile(result.times, 0.9)),
          p99: scaled(quantile(result.times, 0.99)),
        },
      };
    },
  };
}

export const logins = sessionWork({
  metric: { name: 'logins', title: 'login, PWD, quit', unit: 'ms', better: 'less', cpuPer: '1000 logins' },
  command: 'logins',
  count: (sizes) => sizes.logins,
  perSecond: 1e3,
  cpuCount: 1000,
});

export const greeting = sessionWork({
  metric: {
    name: 'greeting',
    title: 'connect to 220',
    unit: 'ms',
    better: 'less',
    cpuPer: '1000 connections',
  },
  command: 'greetings',
  obstacle: ({ protection }) => (protection === 'wrapped' ? 'its greeting comes in TLS' : undefined),
  count: (sizes) => sizes.logins,
  perSecond: 1e3,
  cpuCount: 1000,
});

export const firstListing = sessionWork({
  metric: {
    name: 'first-listing',
    title: 'connect to first listing',
    unit: 'ms',
    better: 'less',
    cpuPer: '1000 sessions',
  },
  command: 'listings',
  count: (sizes) => sizes.listings,
  perSecond: 1e3,
  cpuCount: 1000,
});

export const noop = sessionWork({
  metric: { name: 'noop', title: 'NOOP round trip', unit: 'µs', better: 'less', cpuPer: '1000 commands' },
  command: 'noops',
  count: (sizes) => sizes.noops,
  perSecond: 1e6,
  cpuCount: 1000,
});
