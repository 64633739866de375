// The work that moves files: one big one each way, many small ones over one session, and eight clients at once.
import { bigName, uploadName } from '../field.js';
import type { Contender } from '../contenders/contender.js';
import type { Field } from '../field.js';
import type { Sizes } from '../sizes.js';
import { curlJob } from './curl-job.js';
import { drive, sessionArguments } from './driver.js';
import { checkBytes, withProxyCpu, type JobTimes } from './job.js';
import type { Measured, Work } from './work.js';

const gibibyte = 2 ** 30;
const megabyte = 1e6;

/** Amount over time, and CPU for each `unit` of the amount. */
function rate(amount: number, unit: number, job: JobTimes): Measured {
  const share = (cpu: number): number => (cpu * unit) / amount;
  return {
    value: amount / job.seconds,
    cpu: job.proxyCpu === undefined ? undefined : share(job.proxyCpu),
    clientCpu: share(job.clientCpu),
    raw: { seconds: job.seconds, ...(job.proxyCpu === undefined ? {} : { proxyCpuSeconds: job.proxyCpu }) },
  };
}

export const download: Work = {
  metric: { name: 'download', title: 'download, one stream', unit: 'MB/s', better: 'more', cpuPer: 'GiB' },
  obstacle: () => undefined,
  perform: async (contender, field, { bulkBytes }) => {
    const transfer = { kind: 'get', remote: bigName } as const;
    const job = await curlJob(contender, field, transfer, bulkBytes);
    return rate(bulkBytes / megabyte, gibibyte / megabyte, job);
  },
};

export const upload: Work = {
  metric: { name: 'upload', title: 'upload, one stream', unit: 'MB/s', better: 'more', cpuPer: 'GiB' },
  obstacle: () => undefined,
  perform: async (contender, field, { bulkBytes }) => {
    const transfer = { kind: 'put', remote: uploadName, local: field.bigFile } as const;
    const job = await curlJob(contender.uploads ?? contender, field, transfer, bulkBytes);
    return rate(bulkBytes / megabyte, gibibyte / megabyte, job);
  },
};

/** Sessions side by side that fetch `count` small files each. */
async function files(
  contender: Contender,
  field: Field,
  sizes: Sizes,
  work: { readonly sessions: number; readonly count: number },
): Promise<Measured> {
  const args = [...sessionArguments(contender, work.count), '--sessions', String(work.sessions)];
  const { result, proxyCpu } = await withProxyCpu(contender, () =>
    drive(field, contender.namespace, 'files', args),
  );
  const amount = work.sessions * work.count;
  checkBytes(contender, result, amount * sizes.smallBytes);
  return rate(amount, 1000, { seconds: result.times[0] ?? 0, proxyCpu, clientCpu: result.cpu });
}

export const smallFiles: Work = {
  metric: {
    name: 'small-files',
    title: 'small files, one session',
    unit: 'files/s',
    better: 'more',
    cpuPer: '1000 files',
  },
  obstacle: () => undefined,
  perform: (contender, field, sizes) =>
    files(contender, field, sizes, { sessions: 1, count: sizes.smallFiles }),
};

export const mirrors: Work = {
  metric: {
    name: 'mirrors',
    title: 'parallel mirrors',
    unit: 'files/s',
    better: 'more',
    cpuPer: '1000 files',
  },
  obstacle: () => undefined,
  perform: (contender, field, sizes) =>
    files(contender, field, sizes, { sessions: sizes.mirrors, count: sizes.mirrorFiles }),
};
