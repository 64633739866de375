// The curves and tables over streams, sessions and known keys. Pure.
import { drawChart, type Chart, type Curve } from '../report/curves.js';
import { formatNumber } from '../report/numbers.js';
import { colourOf, type Picture } from '../report/picture.js';
import type { Report } from '../report/report.js';
import type { Table } from '../report/tables.js';
import type { Sample } from '../results.js';
import { median } from '../statistics.js';
import { stores } from './known-keys.js';
import type { Direction } from './streams.js';

type Read = (sample: Sample) => number | undefined;
type Points = readonly (readonly [x: number, y: number])[];

const mebibyte = 2 ** 20;

/** The medians of the metrics `<prefix>-<number>`, by the number, ascending. */
function pointsOf({ samples }: Report, prefix: string, contender: string, read: Read): Points {
  const values = new Map<number, number[]>();
  for (const sample of samples) {
    if (sample.contender !== contender || !sample.metric.startsWith(`${prefix}-`)) continue;
    const x = Number(sample.metric.slice(prefix.length + 1));
    const y = read(sample);
    if (y !== undefined) values.set(x, [...(values.get(x) ?? []), y]);
  }
  return [...values].map(([x, all]) => [x, median(all)] as const).sort(([a], [b]) => a - b);
}

/** No picture without two points; a value of nothing has no place on a logarithmic axis. */
function picture(name: string, chart: Omit<Chart, 'x'>): readonly Picture[] {
  const curves = chart.curves.flatMap((curve): readonly Curve[] => {
    const { points } = curve;
    if (points.kind === 'level') return points.y > 0 ? [curve] : [];
    const at = points.at.filter(([x, y]) => x > 0 && y > 0);
    return at.length === 0 ? [] : [{ ...curve, points: { kind: 'curve', at } }];
  });
  const x = curves.flatMap(({ points }) => (points.kind === 'curve' ? points.at.map(([one]) => one) : []));
  const marks = [...new Set(x)].sort((a, b) => a - b);
  if (marks.length < 2) return [];
  return [{ name, alt: chart.title, svg: drawChart({ ...chart, x: marks, curves }) }];
}

function curve(label: string, index: number, at: Points): Curve {
  return { label, colour: colourOf(index), points: { kind: 'curve', at } };
}

function streamPictures(report: Report, direction: Direction): readonly Picture[] {
  const curves = (read: Read): readonly Curve[] =>
    report.contenders.map((name, index) => curve(name, index, pointsOf(report, direction, name, read)));
  const Word = direction === 'download' ? 'Download' : 'Upload';
  const common = { xTitle: 'streams side by side' };
  return [
    ...picture(`scaling-${direction}`, {
      ...common,
      title: `${Word}: all streams together`,
      yTitle: 'MB/s',
      curves: curves(({ value }) => value),
    }),
    ...picture(`scaling-${direction}-cpu`, {
      ...common,
      title: `${Word}: what the proxy takes`,
      yTitle: 'CPU seconds a GiB',
      curves: curves(({ cpu }) => cpu),
    }),
  ];
}

function sessionPictures(report: Report, subject: string): readonly Picture[] {
  const at = pointsOf(report, 'sessions', subject, ({ value }) => value);
  const base = at.find(([x]) => x === 0)?.[1] ?? 0;
  return picture('scaling-sessions', {
    title: 'Memory of supervisor and proxy by idle sessions',
    xTitle: 'sessions',
    yTitle: 'PSS, MiB',
    curves: [
      curve('ftpseal', 0, at),
      { label: 'no session', colour: colourOf(3), points: { kind: 'level', y: base } },
    ],
  });
}

const keyFigures: readonly {
  readonly name: string;
  readonly title: string;
  readonly yTitle: string;
  readonly read: Read;
}[] = [
  { name: 'login', title: 'Connect to 230', yTitle: 'ms', read: ({ value }) => value },
  {
    name: 'cpu',
    title: 'What the daemon takes for 1000 logins',
    yTitle: 'CPU seconds',
    read: ({ cpu }) => cpu,
  },
  {
    name: 'memory',
    title: 'Memory of supervisor and proxy',
    yTitle: 'PSS, MiB',
    read: ({ raw }) => (raw['pss'] ?? 0) / mebibyte,
  },
  { name: 'start', title: 'Start to ready', yTitle: 'ms', read: ({ raw }) => raw['startMs'] },
];

function keyPictures(report: Report, subject: string): readonly Picture[] {
  return keyFigures.flatMap(({ name, title, yTitle, read }) =>
    picture(`scaling-keys-${name}`, {
      title: `${title}, by known keys`,
      xTitle: 'known keys',
      yTitle,
      curves: stores.map((store, index) => curve(store, index, pointsOf(report, store, subject, read))),
    }),
  );
}

/** The pictures that this run has numbers for. */
export function drawScaling(report: Report, { subject }: { readonly subject: string }): readonly Picture[] {
  return [
    ...streamPictures(report, 'download'),
    ...streamPictures(report, 'upload'),
    ...sessionPictures(report, subject),
    ...keyPictures(report, subject),
  ];
}

export function sessionTable(report: Report, subject: string): Table {
  const at = pointsOf(report, 'sessions', subject, ({ value }) => value);
  const resident = new Map(pointsOf(report, 'sessions', subject, ({ raw }) => (raw['rss'] ?? 0) / mebibyte));
  const base = at.find(([x]) => x === 0)?.[1] ?? 0;
  const lines = at.map(([sessions, pss]) => [
    String(sessions),
    formatNumber(pss),
    sessions === 0 ? '–' : formatNumber(((pss - base) * 1024) / sessions),
    formatNumber(resident.get(sessions) ?? 0),
  ]);
  const head = ['idle sessions', 'PSS, MiB', 'PSS a session, KiB', 'RSS, MiB'];
  return { title: 'Memory of supervisor and proxy, one fresh start', lines: [head, ...lines] };
}

export function keyTable(report: Report, subject: string): Table {
  const columns = stores.flatMap((store) =>
    keyFigures.map(({ read }) => new Map(pointsOf(report, store, subject, read))),
  );
  const counts = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
  const lines = counts.map((count) => [
    String(count),
    ...columns.map((column) => {
      const value = column.get(count);
      return value === undefined ? '–' : formatNumber(value);
    }),
  ]);
  const heads = ['login, ms', 'CPU, ms a login', 'PSS, MiB', 'start, ms'];
  const head = ['known keys', ...stores.flatMap((store) => heads.map((text) => `${store}: ${text}`))];
  return { title: 'Known keys: login, memory, start', lines: [head, ...lines] };
}
