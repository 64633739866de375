// The work of the tunnel benchmark: bytes through one connection, answers, new connections, and memory.
import { z } from 'zod';
import { clientUid } from '../../lab/harness/account.js';
import { run, start, waitFor } from '../../lab/harness/command.js';
import { cpuSeconds, memory, rawMemory } from '../process-tree.js';
import { median, quantile } from '../statistics.js';
import type { Measured, Work } from '../work.js';
import type { TunnelContender } from './contenders.js';
import type { TunnelSizes } from './sizes.js';

/** What a measurement needs besides the contender. */
export interface TunnelContext {
  /** The client's host. */
  readonly namespace: string;
  readonly driver: string;
  readonly sizes: TunnelSizes;
}

export type TunnelWork = Work<TunnelContender, TunnelContext>;

const resultSchema = z.object({
  /** Seconds. */
  times: z.array(z.number()).readonly(),
  /** CPU seconds of the script, and of the client ends that it started. */
  cpu: z.number(),
  programs: z.number(),
});
type Result = Readonly<z.infer<typeof resultSchema>>;

const timeLimitMs = 600_000;

function argvOf(
  { entrance }: TunnelContender,
  { driver }: TunnelContext,
  words: readonly string[],
): readonly string[] {
  const way =
    entrance.kind === 'program'
      ? ['--', ...entrance.argv]
      : ['--address', entrance.address, '--port', String(entrance.port)];
  return ['/usr/bin/python3', '-B', driver, ...words, ...way];
}

interface Driven {
  readonly result: Result;
  /** CPU seconds of the tunnel's both ends. */
  readonly own: number;
}

/** Runs the script to its end, the start of the client's programs included. */
async function drive(
  contender: TunnelContender,
  context: TunnelContext,
  words: readonly string[],
): Promise<Driven> {
  const before = await cpuSeconds(contender.roots());
  const place = { namespace: context.namespace, uid: clientUid };
  const finished = await run(place, argvOf(contender, context, words), { timeoutMs: timeLimitMs });
  if (finished.code !== 0)
    throw new Error(`${words.join(' ')} ended with ${finished.code}: ${finished.stderr.slice(-2000)}`);
  const result = resultSchema.parse(JSON.parse(finished.stdout));
  return { result, own: (await cpuSeconds(contender.roots())) - before + result.programs };
}

/** A script that waits with open tunnels. `go` lets it continue until it has printed another line, which it returns. */
interface Waiting {
  /** The processes of both ends. */
  readonly roots: readonly number[];
  go(): Promise<string>;
  /** Lets it close its tunnels and end. Throws if that fails. */
  finish(): Promise<void>;
}

async function startWaiting(
  contender: TunnelContender,
  context: TunnelContext,
  words: readonly string[],
): Promise<Waiting> {
  const argv = argvOf(contender, context, words);
  const client = start({ namespace: context.namespace, uid: clientUid }, argv);
  const life = { over: false };
  void client.ended.then(() => (life.over = true));
  const line = async (index: number): Promise<string> => {
    const lines = (): readonly string[] => client.stdout().split('\n');
    await waitFor(
      () => client.stderr(),
      () => lines().length > index + 1 || life.over,
      timeLimitMs,
    );
    const found = lines().length > index + 1 ? lines()[index] : undefined;
    if (found === undefined) throw new Error(`${words.join(' ')} failed: ${client.stderr().slice(-2000)}`);
    return found;
  };
  const programs = (await line(0)).split(' ').slice(1).map(Number);
  return {
    roots: [...contender.roots(), ...programs],
    go: () => {
      client.child.stdin?.write('\n');
      return line(1);
    },
    finish: async () => {
      client.child.stdin?.end('\n');
      if ((await client.ended) !== 0) throw new Error(`the tunnels had died: ${client.stderr()}`);
    },
  };
}

/** As `drive`, on a tunnel that is open before and after. */
async function driveOpen(
  contender: TunnelContender,
  context: TunnelContext,
  words: readonly string[],
): Promise<Driven> {
  const waiting = await startWaiting(contender, context, words);
  const before = await cpuSeconds(waiting.roots);
  const result = resultSchema.parse(JSON.parse(await waiting.go()));
  const own = (await cpuSeconds(waiting.roots)) - before;
  await waiting.finish();
  return { result, own };
}

/** Nobody is in between where nothing is. */
function ownCpu(contender: TunnelContender, own: number): number | undefined {
  return contender.name === 'plain' ? undefined : own;
}

const gibibyte = 2 ** 30;

function stream(name: string, title: string, way: 'get' | 'put' | 'both'): TunnelWork {
  return {
    metric: { name, title, unit: 'MB/s', better: 'more', cpuPer: 'GiB' },
    obstacle: () => undefined,
    perform: async (contender, context): Promise<Measured> => {
      const { bulkBytes } = context.sizes;
      const words = ['stream', '--way', way, '--bytes', String(bulkBytes)];
      const { result, own } = await driveOpen(contender, context, words);
      const bytes = way === 'both' ? 2 * bulkBytes : bulkBytes;
      const seconds = result.times[0] ?? 0;
      const cpu = ownCpu(contender, (own * gibibyte) / bytes);
      return {
        value: bytes / 1e6 / seconds,
        cpu,
        clientCpu: (result.cpu * gibibyte) / bytes,
        raw: { seconds, bytes },
      };
    },
  };
}

interface Repeated {
  readonly metric: TunnelWork['metric'];
  readonly command: string;
  readonly drive: typeof drive;
  readonly count: (sizes: TunnelSizes) => number;
  readonly perSecond: number;
}

function repeated({ metric, command, drive: how, count, perSecond }: Repeated): TunnelWork {
  return {
    metric,
    obstacle: () => undefined,
    perform: async (contender, context): Promise<Measured> => {
      const times = count(context.sizes);
      const { result, own } = await how(contender, context, [command, '--count', String(times)]);
      const scaled = (at: number): number => quantile(result.times, at) * perSecond;
      return {
        value: median(result.times) * perSecond,
        cpu: ownCpu(contender, (own / times) * 1000),
        clientCpu: (result.cpu / times) * 1000,
        raw: { count: times, p10: scaled(0.1), p90: scaled(0.9), p99: scaled(0.99) },
      };
    },
  };
}

const roundTrip = repeated({
  metric: {
    name: 'round-trip',
    title: 'a line and its answer',
    unit: 'µs',
    better: 'less',
    cpuPer: '1000 round trips',
  },
  command: 'pings',
  drive: driveOpen,
  count: (sizes) => sizes.roundTrips,
  perSecond: 1e6,
});

const connect = repeated({
  metric: {
    name: 'connect',
    title: 'new connection, first answer',
    unit: 'ms',
    better: 'less',
    cpuPer: '1000 connections',
  },
  command: 'connects',
  drive,
  count: (sizes) => sizes.connections,
  perSecond: 1e3,
});

/** Both ends of idle connections; pages that processes share are divided among them. */
export const idleConnections: TunnelWork = {
  metric: {
    name: 'idle-memory',
    title: 'memory of an idle connection',
    unit: 'KiB/connection',
    better: 'less',
    cpuPer: undefined,
  },
  obstacle: (contender) => (contender.name === 'plain' ? 'nothing is in between' : undefined),
  perform: async (contender, context): Promise<Measured> => {
    const sessions = context.sizes.idleConnections;
    const before = memory(contender.roots());
    const waiting = await startWaiting(contender, context, ['hold', '--count', String(sessions)]);
    const open = memory(waiting.roots);
    await waiting.finish();
    return {
      value: (open.pss - before.pss) / sessions / 1024,
      cpu: undefined,
      clientCpu: undefined,
      raw: rawMemory(sessions, before, open),
    };
  },
};

/** In the order in which a round does it. */
export const tunnelWork: readonly TunnelWork[] = [
  stream('to-client', 'towards the client', 'get'),
  stream('to-server', 'towards the server', 'put'),
  stream('both-ways', 'both ways at once, sum', 'both'),
  roundTrip,
  connect,
  idleConnections,
];
