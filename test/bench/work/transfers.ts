// The work that moves files: one big one each way, many small ones over one session, and eight clients at once.
import { smallName, bigName, uploadName } from '../field.js';
import type { Contender } from '../contenders/contender.js';
import type { Sizes } from '../sizes.js';
import { curlJob, type JobTimes, type Transfer } from './curl-job.js';
import type { Measured, Work } from './work.js';

const gibibyte = 2 ** 30;
const megabyte = 1e6;

function get(remote: string): Transfer {
  return { kind: 'get', remote, local: '/dev/null' };
}

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

function bulk(name: 'download' | 'upload', title: string, transferOf: (bigFile: string) => Transfer): Work {
  return {
    metric: { name, title, unit: 'MB/s', better: 'more', cpuPer: 'GiB' },
    obstacle: () => undefined,
    perform: async (contender, field, sizes) => {
      const able = name === 'upload' ? (contender.uploads ?? contender) : contender;
      const job = await curlJob(able, field, [[transferOf(field.bigFile)]], sizes.bulkBytes);
      return rate(sizes.bulkBytes / megabyte, gibibyte / megabyte, job);
    },
  };
}

export const download = bulk('download', 'download, one stream', () => get(bigName));
export const upload = bulk('upload', 'upload, one stream', (local) => ({
  kind: 'put',
  remote: uploadName,
  local,
}));

/**
 * curl as FTPS client waits 200 ms in every transfer at vsftpd (it does not look at the data connection's handshake
 * while it waits for a reply), so it gets a tenth of the files; a rate is a rate.
 */
function smallFilesFor(contender: Contender, count: number): number {
  return contender.tls ? Math.ceil(count / 10) : count;
}

function smallList(count: number): readonly Transfer[] {
  return Array.from({ length: count }, (_, index) => get(smallName(index)));
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
  perform: async (contender, field, sizes) => {
    const count = smallFilesFor(contender, sizes.smallFiles);
    const job = await curlJob(contender, field, [smallList(count)], count * sizes.smallBytes);
    return rate(count, 1000, job);
  },
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
  perform: async (contender, field, sizes: Sizes) => {
    const each = smallFilesFor(contender, sizes.mirrorFiles);
    const lists = Array.from({ length: sizes.mirrors }, () => smallList(each));
    const count = each * sizes.mirrors;
    return rate(count, 1000, await curlJob(contender, field, lists, count * sizes.smallBytes));
  },
};
