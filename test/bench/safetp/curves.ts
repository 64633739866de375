// The curves and the table over the block size. Pure.
import { median } from '../statistics.js';
import { drawChart, type Curve } from '../report/curves.js';
import { formatNumber } from '../report/numbers.js';
import { colourOf, type Picture } from '../report/picture.js';
import type { Report } from '../report/report.js';
import type { Table } from '../report/tables.js';
import type { Sample } from '../results.js';
import { kibibytes, pointName } from './work.js';

type Direction = 'download' | 'upload';
type Read = (sample: Sample) => number | undefined;

const rate: Read = (sample) => sample.value;
/** Both sides of the conversation. */
const cpu: Read = (sample) => (sample.cpu ?? 0) + (sample.clientCpu ?? 0);

/** The median over the rounds; undefined where nothing was measured. */
function middle(report: Report, metric: string, contender: string, read: Read): number | undefined {
  const values = report.samples
    .filter((sample) => sample.metric === metric && sample.contender === contender)
    .map(read)
    .filter((value) => value !== undefined);
  return values.length === 0 ? undefined : median(values);
}

const blocks = [
  { name: 'X-SafeTP1', label: 'PROT P' },
  { name: 'PROT S', label: 'PROT S' },
] as const;
const levels = ['TLS', 'plain'] as const;

function curvesOf(report: Report, direction: Direction, read: Read): readonly Curve[] {
  const colour = (name: string): string => colourOf(report.contenders.indexOf(name));
  const curves = blocks.map(({ name, label }): Curve => {
    const at = kibibytes.flatMap((size) => {
      const value = middle(report, pointName(direction, size), name, read);
      return value === undefined ? [] : [[size, value] as const];
    });
    return { label, colour: colour(name), points: { kind: 'curve', at } };
  });
  const lines = levels.flatMap((name): readonly Curve[] => {
    const y = middle(report, direction, name, read);
    return y === undefined ? [] : [{ label: name, colour: colour(name), points: { kind: 'level', y } }];
  });
  return [...curves.filter(({ points }) => points.kind === 'level' || points.at.length > 0), ...lines];
}

interface Figure {
  readonly name: string;
  readonly title: string;
  readonly yTitle: string;
  readonly direction: Direction;
  readonly read: Read;
}

const figures: readonly Figure[] = [
  {
    name: 'safetp-download',
    title: 'Download by PBSZ',
    yTitle: 'MB/s',
    direction: 'download',
    read: rate,
  },
  { name: 'safetp-upload', title: 'Upload by PBSZ', yTitle: 'MB/s', direction: 'upload', read: rate },
  {
    name: 'safetp-cpu',
    title: 'What a download costs by PBSZ, client and server together',
    yTitle: 'CPU seconds a GiB',
    direction: 'download',
    read: cpu,
  },
];

/** The pictures that this run has numbers for. */
export function drawCurves(report: Report): readonly Picture[] {
  return figures.flatMap(({ name, title, yTitle, direction, read }) => {
    const curves = curvesOf(report, direction, read);
    if (!curves.some(({ points }) => points.kind === 'curve')) return [];
    const svg = drawChart({ title, xTitle: 'PBSZ, KiB', yTitle, x: kibibytes, curves });
    return [{ name, alt: title, svg }];
  });
}

/** The curves in numbers. */
export function pointTable(report: Report): Table {
  const cell = (value: number | undefined): string => (value === undefined ? '–' : formatNumber(value));
  const columns = (['download', 'upload'] as const).flatMap((direction) =>
    blocks.map(({ name, label }) => ({ direction, name, label })),
  );
  const head = [
    'PBSZ, KiB',
    ...columns.map(({ direction, label }) => `${direction} ${label}, MB/s`),
    ...columns.map(({ direction, label }) => `${direction} ${label}, CPU s a GiB`),
  ];
  const lines = kibibytes.flatMap((size) => {
    const read = (how: Read): readonly (number | undefined)[] =>
      columns.map(({ direction, name }) => middle(report, pointName(direction, size), name, how));
    const values = [...read(rate), ...read(cpu)];
    return values.every((value) => value === undefined) ? [] : [[String(size), ...values.map(cell)]];
  });
  return { title: 'By block size: rate, and CPU of client and server together', lines: [head, ...lines] };
}
