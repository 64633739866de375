// The work that moves files: one big one each way, many small ones over one session, and eight clients at once.
import type { Measured, Work } from '../work.js';
import { bulkJob } from './bulk-job.js';
import type { Contender } from './contender.js';
import { drive, sessionArguments } from './driver.js';
import { bigName, uploadName, type FtpContext } from './ground.js';
import { checkBytes, withCpu, type JobTimes } from './job.js';

const gibibyte = 2 ** 30;
const megabyte = 1e6;

/** Amount over time, and CPU for each `unit` of the amount. */
function rate(amount: number, unit: number, job: JobTimes): Measured {
  const share = (cpu: number): number => (cpu * unit) / amount;
  return {
    value: amount / job.seconds,
    cpu: job.ownCpu === undefined ? undefined : share(job.ownCpu),
    clientCpu: share(job.clientCpu),
    raw: { seconds: job.seconds, ...(job.ownCpu === undefined ? {} : { cpuSeconds: job.ownCpu }) },
  };
}

export const download: Work<Contender, FtpContext> = {
  metric: { name: 'download', title: 'download, one stream', unit: 'MB/s', better: 'more', cpuPer: 'GiB' },
  obstacle: () => undefined,
  perform: async (contender, context) => {
    const { bulkBytes } = context.sizes;
    const job = await bulkJob(contender, context, { kind: 'get', remote: bigName });
    return rate(bulkBytes / megabyte, gibibyte / megabyte, job);
  },
};

export const upload: Work<Contender, FtpContext> = {
  metric: { name: 'upload', title: 'upload, one stream', unit: 'MB/s', better: 'more', cpuPer: 'GiB' },
  obstacle: () => undefined,
  perform: async (contender, context) => {
    const { bulkBytes } = context.sizes;
    const transfer = { kind: 'put', remote: uploadName, local: context.ground.bigFile } as const;
    const job = await bulkJob(contender.uploads ?? contender, context, transfer);
    return rate(bulkBytes / megabyte, gibibyte / megabyte, job);
  },
};

/** Sessions side by side that fetch `count` small files each. */
async function files(
  contender: Contender,
  { ground, sizes }: FtpContext,
  work: { readonly sessions: number; readonly count: number },
): Promise<Measured> {
  const args = [...sessionArguments(contender, work.count), '--sessions', String(work.sessions)];
  const { result, ownCpu } = await withCpu(contender, () =>
    drive(ground, contender.namespace, 'files', args),
  );
  const amount = work.sessions * work.count;
  checkBytes(contender, result, amount * sizes.smallBytes);
  return rate(amount, 1000, { seconds: result.times[0] ?? 0, ownCpu, clientCpu: result.cpu });
}

export const smallFiles: Work<Contender, FtpContext> = {
  metric: {
    name: 'small-files',
    title: 'small files, one session',
    unit: 'files/s',
    better: 'more',
    cpuPer: '1000 files',
  },
  obstacle: () => undefined,
  perform: (contender, context) =>
    files(contender, context, { sessions: 1, count: context.sizes.smallFiles }),
};

export const mirrors: Work<Contender, FtpContext> = {
  metric: {
    name: 'mirrors',
    title: 'parallel mirrors',
    unit: 'files/s',
    better: 'more',
    cpuPer: '1000 files',
  },
  obstacle: () => undefined,
  perform: (contender, context) =>
    files(contender, context, { sessions: context.sizes.mirrors, count: context.sizes.mirrorFiles }),
};
