// The work of the X-SafeTP1 benchmark: logins, round trips, one file each way, and the same file with blocks of different sizes.
import path from 'node:path';
import { clientUid, login } from '../../lab/harness/account.js';
import { run } from '../../lab/harness/command.js';
import { bigName, uploadName } from '../ftp/ground.js';
import { cpuSeconds } from '../process-tree.js';
import type { Metric } from '../results.js';
import { median, quantile } from '../statistics.js';
import type { Measured, Work } from '../work.js';
import type { SafetpContender } from './contenders.js';
import { resultSchema, type Order, type Result } from './order.js';

/** Amounts of work. */
export interface SafetpSizes {
  readonly bulkBytes: number;
  readonly logins: number;
  readonly noops: number;
}

export const fullSizes: SafetpSizes = { bulkBytes: 64 * 1024 * 1024, logins: 100, noops: 2000 };
/** Enough to see that everything works; the numbers say nothing. */
export const quickSizes: SafetpSizes = { bulkBytes: 512 * 1024, logins: 2, noops: 20 };

export interface SafetpContext {
  /** The client's host, the program as it was staged, and the server. */
  readonly namespace: string;
  readonly program: string;
  readonly address: string;
  /** The file that is uploaded. */
  readonly bigFile: string;
  readonly sizes: SafetpSizes;
}

export type SafetpWork = Work<SafetpContender, SafetpContext>;

/** What our own client proposes. */
const usualKibibytes = 32;
/** Block sizes of the curves, in KiB: the smallest and the largest that are allowed, and those between. */
export const kibibytes = [4, 8, 16, 32, 64, 128] as const;

const timeLimitMs = 600_000;

async function drive(
  contender: SafetpContender,
  context: SafetpContext,
  job: Order['job'],
  bufferKibibytes: number = usualKibibytes,
): Promise<{ readonly result: Result; readonly own: number }> {
  const { mechanism, level } = contender;
  const { address } = context;
  const order: Order = { address, ...login, mechanism, level, bufferSize: bufferKibibytes * 1024, job };
  const script = path.join(context.program, 'dist/test/bench/safetp/client-main.js');
  const before = await cpuSeconds(contender.roots());
  const place = { namespace: context.namespace, uid: clientUid };
  const argv = [process.execPath, script, JSON.stringify(order)];
  const finished = await run(place, argv, { timeoutMs: timeLimitMs });
  if (finished.code !== 0)
    throw new Error(`${job.kind} ended with ${finished.code}: ${finished.stderr.slice(-2000)}`);
  const result = resultSchema.parse(JSON.parse(finished.stdout));
  return { result, own: (await cpuSeconds(contender.roots())) - before };
}

interface Repeated {
  readonly metric: Metric;
  readonly kind: 'logins' | 'noops';
  readonly perSecond: number;
}

function repeated({ metric, kind, perSecond }: Repeated): SafetpWork {
  return {
    metric,
    obstacle: ({ name }) => (name === 'PROT S' ? 'it differs in data only' : undefined),
    perform: async (contender, context): Promise<Measured> => {
      const count = context.sizes[kind];
      const { result, own } = await drive(contender, context, { kind, count });
      const scaled = (at: number): number => quantile(result.times, at) * perSecond;
      return {
        value: median(result.times) * perSecond,
        cpu: (own / count) * 1000,
        clientCpu: (result.cpu / count) * 1000,
        raw: { count, p10: scaled(0.1), p90: scaled(0.9), p99: scaled(0.99) },
      };
    },
  };
}

const gibibyte = 2 ** 30;

/** One file, fetched or stored, with blocks of so many KiB. */
async function transfer(
  contender: SafetpContender,
  context: SafetpContext,
  direction: 'download' | 'upload',
  bufferKibibytes?: number,
): Promise<Measured> {
  const job =
    direction === 'download'
      ? ({ kind: 'get', remote: bigName } as const)
      : ({ kind: 'put', remote: uploadName, local: context.bigFile } as const);
  const { result, own } = await drive(contender, context, job, bufferKibibytes);
  const { bulkBytes } = context.sizes;
  if (result.bytes !== bulkBytes) throw new Error(`${result.bytes} of ${bulkBytes} bytes have moved`);
  const seconds = result.times[0] ?? 0;
  return {
    value: bulkBytes / 1e6 / seconds,
    cpu: (own * gibibyte) / bulkBytes,
    clientCpu: (result.cpu * gibibyte) / bulkBytes,
    raw: { seconds },
  };
}

const perGibibyte = { unit: 'MB/s', better: 'more', cpuPer: 'GiB' } as const;

function bulk(direction: 'download' | 'upload'): SafetpWork {
  return {
    metric: { name: direction, title: `${direction}, one stream`, ...perGibibyte },
    obstacle: () => undefined,
    perform: (contender, context) => transfer(contender, context, direction),
  };
}

/** The metric of a point of a curve. */
export function pointName(direction: 'download' | 'upload', size: number): string {
  return `${direction}-${size}`;
}

function point(direction: 'download' | 'upload', size: number): SafetpWork {
  const title = `${direction}, PBSZ ${size} KiB`;
  return {
    metric: { name: pointName(direction, size), title, ...perGibibyte },
    obstacle: ({ mechanism }) => (mechanism === 'X-SafeTP1' ? undefined : 'it has no blocks'),
    perform: (contender, context) => transfer(contender, context, direction, size),
  };
}

/** What the page's tables hold, in the order in which a round does it. */
export const mainWork: readonly SafetpWork[] = [
  repeated({
    metric: { name: 'logins', title: 'login, PWD, quit', unit: 'ms', better: 'less', cpuPer: '1000 logins' },
    kind: 'logins',
    perSecond: 1e3,
  }),
  repeated({
    metric: { name: 'noop', title: 'NOOP round trip', unit: 'µs', better: 'less', cpuPer: '1000 commands' },
    kind: 'noops',
    perSecond: 1e6,
  }),
  bulk('download'),
  bulk('upload'),
];

/** The points of the curves. */
export const pointWork: readonly SafetpWork[] = kibibytes.flatMap((size) => [
  point('download', size),
  point('upload', size),
]);
