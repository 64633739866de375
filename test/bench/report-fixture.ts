// A run's report with made-up numbers that are easy to check.
import type { Report } from './report/report.js';
import type { Metric, Sample } from './results.js';

export const downloadMetric: Metric = {
  name: 'download',
  title: 'download',
  unit: 'MB/s',
  better: 'more',
  cpuPer: 'GiB',
};
export const loginMetric: Metric = {
  name: 'logins',
  title: 'login',
  unit: 'ms',
  better: 'less',
  cpuPer: '1000 logins',
};

export function samplesOf(
  metric: string,
  contender: string,
  values: readonly number[],
  cpu?: number,
): readonly Sample[] {
  return values.map((value, index) => ({
    metric,
    contender,
    round: index + 1,
    value,
    cpu,
    clientCpu: undefined,
    raw: {},
  }));
}

export function reportOf(samples: readonly Sample[]): Report {
  return {
    machine: {
      date: '2030-01-02',
      load: [0.1, 0.2, 0.3],
      commit: 'abc',
      processor: 'A & B <C>',
      cores: 2,
      memoryGiB: 8,
      kernel: '6.1.0',
      versions: { Node: 'v20', vsftpd: '3' },
    },
    section: 'redirect',
    loadAfter: [2, 1, 0.5],
    quick: false,
    rounds: 3,
    sizes: { bulkBytes: 1048576 },
    contenders: ['ftpseal', 'mod_proxy'],
    leftOut: {},
    metrics: [downloadMetric, loginMetric],
    samples,
    foreign: undefined,
  };
}
