// The benchmark of the packet engine: what a packet costs, and a bulk connection over it beside the kernel's own redirect.
import { runRounds, warmUp } from '../rounds.js';
import type { Section } from '../section.js';
import type { Work } from '../work.js';
import { layerNames, openField, packetCost, type LayerEntrant } from './field.js';
import { engineSheet } from './sheet.js';

interface EngineSizes {
  readonly bulkBytes: number;
  readonly connections: number;
  readonly batches: number;
}

const fullSizes: EngineSizes = { bulkBytes: 512 * 2 ** 20, connections: 1000, batches: 2000 };
/** 200,000 packets are some 10 ms: well above what the clock of processor time and the empty loop can be wrong by. */
const quickSizes: EngineSizes = { bulkBytes: 8 * 2 ** 20, connections: 100, batches: 2000 };

type EngineWork = Work<LayerEntrant, EngineSizes>;

function packetWork(family: 4 | 6): EngineWork {
  return {
    metric: {
      name: `packet-v${family}`,
      title: `packet, IPv${family}`,
      unit: 'ns',
      better: 'less',
      cpuPer: undefined,
    },
    obstacle: ({ name }) => (name === 'tun' ? undefined : 'it has no engine'),
    perform: async (_entrant, { connections, batches }) => {
      const value = await packetCost(family, connections, batches);
      return { value, cpu: undefined, clientCpu: undefined, raw: { connections } };
    },
  };
}

function bulkWork(family: 4 | 6): EngineWork {
  return {
    metric: {
      name: `bulk-v${family}`,
      title: `bulk, IPv${family}`,
      unit: 'MB/s',
      better: 'more',
      cpuPer: 'GiB',
    },
    obstacle: () => undefined,
    perform: async (entrant) => {
      const { bytes, milliseconds, cpu, layerCpu } = await entrant.bulk(family);
      const gibibytes = bytes / 2 ** 30;
      return {
        value: bytes / 1000 / milliseconds,
        cpu: layerCpu === undefined ? undefined : layerCpu / gibibytes,
        clientCpu: cpu / gibibytes,
        raw: { bytes, milliseconds },
      };
    },
  };
}

const everyWork: readonly EngineWork[] = [packetWork(4), packetWork(6), bulkWork(4), bulkWork(6)];

export const engineSection: Section = {
  sheet: engineSheet,
  work: everyWork.map(({ metric }) => metric.name),
  measure: async ({ quick, rounds, progress, wantsContender, wantsWork }) => {
    const contenders = layerNames.filter(wantsContender);
    const sizes = quick ? quickSizes : fullSizes;
    const field = await openField(contenders, sizes.bulkBytes);
    try {
      const { entrants } = field;
      const work = everyWork.filter(({ metric }) => wantsWork(metric.name));
      const bulk = work.filter(({ metric }) => metric.cpuPer !== undefined);
      if (!quick) await warmUp({ entrants, work: bulk, context: sizes, progress });
      const samples = await runRounds({ entrants, work, context: sizes, rounds, progress });
      const metrics = everyWork.map(({ metric }) => metric);
      return { sizes: { ...sizes }, contenders, leftOut: {}, metrics, samples };
    } finally {
      await field.close();
    }
  },
};
