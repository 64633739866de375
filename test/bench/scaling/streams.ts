// Streams side by side that move the same amount together, however many they are.
import type { Contender } from '../ftp/contender.js';
import { finishDriver, sessionArguments, startDriver } from '../ftp/driver.js';
import { bigName, type Ground } from '../ftp/ground.js';
import { checkBytes, withCpu } from '../ftp/job.js';
import type { Work } from '../work.js';
import type { ScalingSizes } from './sizes.js';

export interface ScalingContext {
  readonly ground: Ground;
  readonly sizes: ScalingSizes;
}

export const directions = ['download', 'upload'] as const;
export type Direction = (typeof directions)[number];

/** The metric of a point of a curve. */
export function streamsName(direction: Direction, count: number): string {
  return `${direction}-${count}`;
}

function streams(direction: Direction, count: number): Work<Contender, ScalingContext> {
  return {
    metric: {
      name: streamsName(direction, count),
      title: `${direction}, ${count} ${count === 1 ? 'stream' : 'streams'}`,
      unit: 'MB/s',
      better: 'more',
      cpuPer: 'GiB',
    },
    obstacle: () => undefined,
    perform: async (taken, { ground, sizes }) => {
      const contender = direction === 'upload' ? (taken.uploads ?? taken) : taken;
      const share = Math.floor(sizes.streamBytes / count);
      const file =
        direction === 'upload' ? ['--remote', 'up/stream', '--local', ground.bigFile] : ['--remote', bigName];
      const what = ['--sessions', String(count), '--skip', String(sizes.streamBytes - share), ...file];
      const args = [...sessionArguments(contender, 1), ...what];
      const client = await startDriver(ground, contender.namespace, 'streams', args);
      // The logins are over.
      const { result, ownCpu } = await withCpu(contender, () => finishDriver(client));
      const bytes = share * count;
      checkBytes(contender, result, bytes);
      const gibibytes = bytes / 2 ** 30;
      const seconds = result.times[0] ?? 0;
      return {
        value: bytes / 1e6 / seconds,
        cpu: ownCpu === undefined ? undefined : ownCpu / gibibytes,
        clientCpu: result.cpu / gibibytes,
        raw: { streams: count, bytes, seconds },
      };
    },
  };
}

/** All points, in the order in which a round does them. */
export function streamsWork({ streams: counts }: ScalingSizes): readonly Work<Contender, ScalingContext>[] {
  return directions.flatMap((direction) => counts.map((count) => streams(direction, count)));
}
