// The report's tables as cells; the terminal and the Markdown page draw the same ones.
import type { Summary } from '../results.js';
import { median } from '../statistics.js';
import { formatNumber, formatRatio, formatVerdict } from './numbers.js';
import { references, rowsOf, verdictsOf, type Report } from './report.js';

/** A table: the first line of `lines` is the head. */
export interface Table {
  readonly title: string;
  readonly lines: readonly (readonly string[])[];
}

const nothing = '–';

function valueCell(summary: Summary | undefined): string {
  return summary === undefined ? nothing : formatNumber(summary.value);
}

/** Medians of every contender and ftpseal's ratio to the others. */
function valueTable(report: Report): Table {
  const head = ['', 'unit', ...report.contenders, ...references.map((name) => `÷ ${name}`)];
  const lines = rowsOf(report).map((row) => [
    row.metric.title,
    `${row.metric.unit} (${row.metric.better === 'more' ? 'more' : 'less'} is better)`,
    ...row.values.map(valueCell),
    ...row.ratios.map((ratio, index) =>
      ratio === undefined ? nothing : index === 0 ? formatRatio(ratio) : formatNumber(ratio.median),
    ),
  ]);
  return {
    title: 'Medians, and ftpseal ÷ the others (median of the rounds; smallest to largest)',
    lines: [head, ...lines],
  };
}

/** CPU seconds of the proxies' process trees, and those of the client beside them. */
function cpuTable(report: Report): Table {
  const proxies = report.contenders.filter((name) => name === 'ftpseal' || name === 'mod_proxy');
  const head = [
    '',
    'per',
    ...proxies,
    '÷ mod_proxy',
    ...report.contenders.map((name) => `client of ${name}`),
  ];
  const lines = rowsOf(report)
    .filter((row) => row.metric.cpuPer !== undefined)
    .map((row) => {
      const cpuOf = (name: string): string => {
        const cpu = row.values.find((value) => value?.contender === name)?.cpu;
        return cpu === undefined ? nothing : formatNumber(cpu);
      };
      return [
        row.metric.title,
        row.metric.cpuPer ?? '',
        ...proxies.map(cpuOf),
        row.cpuToModProxy === undefined ? nothing : formatRatio(row.cpuToModProxy),
        ...row.values.map((value) =>
          value?.clientCpu === undefined ? nothing : formatNumber(value.clientCpu),
        ),
      ];
    });
  return { title: 'CPU seconds of the proxy, all its processes, and of the client', lines: [head, ...lines] };
}

const mebibyte = 2 ** 20;

function memoryTable(report: Report): Table {
  const head = [
    'proxy',
    'sessions',
    'PSS before, MiB',
    'PSS open, MiB',
    'PSS a session, KiB',
    'RSS open, MiB',
    'processes',
  ];
  const of = (name: string) =>
    report.samples.find((sample) => sample.metric === 'idle-memory' && sample.contender === name);
  const lines = report.contenders.flatMap((name) => {
    const sample = of(name);
    if (sample === undefined) return [];
    const mib = (key: string): string => formatNumber((sample.raw[key] ?? 0) / mebibyte);
    const cells = [mib('pssBefore'), mib('pssOpen'), formatNumber(sample.value), mib('rssOpen')];
    return [[name, String(sample.raw['sessions']), ...cells, String(sample.raw['processesOpen'])]];
  });
  return { title: 'Memory with idle sessions (first of the rounds)', lines: [head, ...lines] };
}

function foreignTable(report: Report): Table {
  const { foreign } = report;
  const lines =
    foreign === undefined
      ? []
      : [
          [
            formatNumber(median(foreign.withRules)),
            formatNumber(median(foreign.without)),
            foreign.ratio.toFixed(3),
            `${foreign.interval.low.toFixed(3)} to ${foreign.interval.high.toFixed(3)}`,
          ],
        ];
  const head = ['with rules, µs', 'without, µs', 'ratio', '95 % interval'];
  return { title: 'A connection to a port that is no FTP: connect, one byte, end', lines: [head, ...lines] };
}

function goalTable(report: Report): Table {
  const lines = verdictsOf(report).map((verdict) => [verdict.goal.text, formatVerdict(verdict)]);
  return { title: 'Goals, as ratio to mod_proxy', lines: [['goal', 'outcome'], ...lines] };
}

/** The tables that have something to say. */
export function tablesOf(report: Report): readonly Table[] {
  const all = [goalTable, valueTable, cpuTable, memoryTable, foreignTable].map((table) => table(report));
  return all.filter((table) => table.lines.length > 1);
}
