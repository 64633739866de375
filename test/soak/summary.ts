// What a soak came to, and how it is shown.
import type { Machine } from '../bench/machine.js';
import type { MemorySummary } from './memory.js';
import type { Counts } from './tally.js';
import type { Trouble } from './trouble.js';
import type { WireSummary } from './wire.js';
import { outcomes } from './work.js';

export interface Summary {
  readonly seed: number;
  readonly minutes: number;
  readonly clients: number;
  /** With opening, rests and closing. */
  readonly seconds: number;
  /** It was ended before its time. */
  readonly early: boolean;
  readonly work: Readonly<Record<string, Counts>>;
  /** Jobs that were told that they failed: at the server that nobody vouches for, and for another reason. */
  readonly failures: { readonly asked: number; readonly excused: number };
  readonly bytes: number;
  /** The job that took longest, in words. */
  readonly slowest: string;
  readonly troubles: Readonly<Record<Trouble, number>>;
  readonly idle: { readonly answered: number; readonly lost: number };
  /** Questions about keys that nobody had answered. */
  readonly questions: number;
  readonly memory: MemorySummary;
  /** Of proxy and supervisor at the end. */
  readonly descriptors: number;
  readonly threads: number;
  readonly wire: WireSummary;
  /** A sentence for each promise that did not hold. */
  readonly broken: readonly string[];
}

const names: Readonly<Record<Trouble, string>> = {
  worker: 'workers killed',
  proxy: 'proxy killed (-9)',
  supervisor: 'supervisor killed (-9) and started again',
  server: 'servers started again',
  blackout: 'network down',
  loss: 'packets lost at random',
  resets: 'connections reset at random',
  clients: 'clients killed, up to three at a time',
  stranger: 'the unknown server with another key',
};

/** The summary for people. */
export function formatSummary(summary: Summary, machine: Machine): string {
  const { memory, wire, idle, failures } = summary;
  const width = 14;
  const row = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, index) => (index === 0 ? String(cell).padEnd(width) : String(cell).padStart(9)))
      .join('');
  const trouble = (Object.keys(names) as Trouble[]).map(
    (kind) => `  ${String(summary.troubles[kind]).padStart(4)}  ${names[kind]}`,
  );
  return [
    `Soak, seed ${summary.seed}: ${summary.minutes} min${summary.early ? ', ended early' : ''}, ${summary.clients} clients at once, ${Math.round(summary.seconds / 6) / 10} min in all`,
    `${machine.cores} cores (${machine.processor}), Linux ${machine.kernel}, Node ${machine.versions['Node'] ?? process.version}, commit ${machine.commit}, load before ${machine.load.join(' ')}`,
    '',
    row(['client', ...outcomes]),
    ...Object.entries(summary.work).map(([name, counts]) =>
      row([name, ...outcomes.map((outcome) => counts[outcome])]),
    ),
    `${(summary.bytes / 1e9).toFixed(2)} GB arrived whole. Told that they failed: ${failures.asked} at the server with the unknown key, ${failures.excused} in trouble.`,
    `The longest: ${summary.slowest}`,
    `Idle sessions: ${idle.answered} answers, ${idle.lost} sessions lost.`,
    '',
    'What happened to them:',
    ...trouble,
    `  ${String(summary.questions).padStart(4)}  questions about keys that nobody answered`,
    '',
    `Memory of the proxy in the second half, ${memory.samples} looks: resident ${slope(memory.residentSlope)}, heaps after a collection ${slope(memory.heapSlope)}; supervisor ${slope(memory.supervisorSlope)}`,
    `At rest before and after it: resident ${memory.resident.join(' and ')} MiB, heaps ${memory.heap.join(' and ')} MiB, supervisor resident ${memory.supervisor.join(' and ')} MiB; ${summary.descriptors} descriptors of proxy and supervisor at the end`,
    `Wire: ${wire.packets} packets of ${wire.connections} connections searched, ${wire.dropped} lost by the capture, ${wire.sightings.length} secrets seen`,
    '',
    ...verdict(summary),
  ].join('\n');
}

function slope(kibibytes: number | undefined): string {
  if (kibibytes === undefined) return '(too short for a slope)';
  return `${kibibytes < 0 ? '−' : '+'}${Math.abs(kibibytes)} KiB/min`;
}

function verdict({ broken, seed }: Summary): readonly string[] {
  if (broken.length === 0) return ['Everything held.'];
  return [
    `${broken.length} did not hold (npm run soak -- --seed ${seed} repeats the choices):`,
    ...broken.map((sentence) => `- ${sentence}`),
  ];
}
