// The report's tables as cells; the terminal and the Markdown page draw the same ones.
import type { Summary, Verdict } from '../results.js';
import { formatBound, formatNumber, formatOutcome, formatRatio } from './numbers.js';
import { othersOf, referencesOf, rowsOf, verdictsOf, type Report } from './report.js';
import type { Sheet } from './sheet.js';

/** A table: the first line of `lines` is the head. */
export interface Table {
  readonly title: string;
  readonly lines: readonly (readonly string[])[];
}

const nothing = '–';

function valueCell(summary: Summary | undefined): string {
  return summary === undefined ? nothing : formatNumber(summary.value);
}

/** Medians of every contender and the subject's ratio to the others. */
function valueTable(report: Report, sheet: Sheet): Table {
  const head = ['', 'unit', ...report.contenders, ...referencesOf(report, sheet).map((name) => `÷ ${name}`)];
  const lines = rowsOf(report, sheet).map((row) => [
    row.metric.title,
    `${row.metric.unit} (${row.metric.better === 'more' ? 'more' : 'less'} is better)`,
    ...row.values.map(valueCell),
    ...row.ratios.map((ratio, index) =>
      ratio === undefined ? nothing : index === 0 ? formatRatio(ratio) : formatNumber(ratio.median),
    ),
  ]);
  return {
    title: `Medians, and ${sheet.subject} ÷ the others (median of the rounds; smallest to largest)`,
    lines: [head, ...lines],
  };
}

/** CPU seconds of those contenders whose processes are counted, and those of the client beside them. */
function cpuTable(report: Report, sheet: Sheet): Table {
  const counted = report.contenders.filter((name) =>
    report.samples.some((sample) => sample.contender === name && sample.cpu !== undefined),
  );
  const [reference = ''] = referencesOf(report, sheet);
  const head = [
    '',
    'per',
    ...counted,
    `÷ ${reference}`,
    ...report.contenders.map((name) => `client of ${name}`),
  ];
  const lines = rowsOf(report, sheet)
    .filter((row) => row.metric.cpuPer !== undefined)
    .map((row) => {
      const cpuOf = (name: string): string => {
        const cpu = row.values.find((value) => value?.contender === name)?.cpu;
        return cpu === undefined ? nothing : formatNumber(cpu);
      };
      return [
        row.metric.title,
        row.metric.cpuPer ?? '',
        ...counted.map(cpuOf),
        row.cpuRatio === undefined ? nothing : formatRatio(row.cpuRatio),
        ...row.values.map((value) =>
          value?.clientCpu === undefined ? nothing : formatNumber(value.clientCpu),
        ),
      ];
    });
  return { title: `CPU seconds of ${sheet.cpuOf}, and of the client`, lines: [head, ...lines] };
}

const mebibyte = 2 ** 20;

function memoryTable(report: Report): Table {
  const head = [
    '',
    'sessions',
    'PSS before, MiB',
    'PSS open, MiB',
    'PSS a session, KiB',
    'RSS open, MiB',
    'processes',
  ];
  const first = report.samples.filter(
    ({ metric, round }) => (metric === 'idle-memory' || metric === 'idle-memory-twice') && round === 1,
  );
  const all = report.contenders.flatMap((name) => first.filter(({ contender }) => contender === name));
  const lines = all.map((sample) => {
    const mib = (key: string): string => formatNumber((sample.raw[key] ?? 0) / mebibyte);
    const cells = [mib('pssBefore'), mib('pssOpen'), formatNumber(sample.value), mib('rssOpen')];
    return [sample.contender, String(sample.raw['sessions']), ...cells, String(sample.raw['processesOpen'])];
  });
  return { title: 'Memory with idle sessions (first of the rounds)', lines: [head, ...lines] };
}

export const goalsTitle = 'Goals';

/** Of the subject, and beside it of the same program in the other forms that took part. */
export function goalTable(report: Report, sheet: Sheet): Table {
  const others = othersOf(report);
  const verdictsOfOthers = others.map((name) => verdictsOf(report, { ...sheet, subject: name }));
  const lines = verdictsOf(report, sheet).map((verdict) => [
    verdict.goal.text,
    formatBound(verdict),
    ...outcomeCells(verdict, report),
    ...verdictsOfOthers.flatMap((all) =>
      outcomeCells(
        all.find(({ goal }) => goal === verdict.goal),
        report,
      ),
    ),
  ]);
  const further = (sheet.furtherGoals?.(report) ?? []).map((line) => [
    ...[line.goal, line.wanted, line.figure, line.outcome, metWord(line)],
    ...others.flatMap(() => outcomeCells(undefined, report)),
  ]);
  const head = [sheet.subject, ...others].flatMap((name) => [name, 'outcome', '']);
  return { title: goalsTitle, lines: [['goal', 'wanted', ...head], ...lines, ...further] };
}

function outcomeCells(verdict: Verdict | undefined, report: Report): readonly string[] {
  if (verdict === undefined) return [nothing, nothing, ''];
  const unit = unitOf(verdict, report);
  return [`${formatNumber(verdict.figure)} ${unit}`.trimEnd(), formatOutcome(verdict), metWord(verdict)];
}

/** Of the subject's own figure. */
function unitOf({ goal }: Verdict, { metrics }: Report): string {
  if (goal.unit !== undefined) return goal.unit;
  const metric = metrics.find(({ name }) => name === goal.metric);
  if (goal.of === 'cpu') return metric?.cpuPer === undefined ? 's' : `s/${metric.cpuPer}`;
  return metric?.unit ?? '';
}

function metWord({ met, because }: { readonly met: boolean; readonly because?: string | undefined }): string {
  if (met) return 'met';
  return because === undefined ? 'missed' : `missed: ${because}`;
}

/** The tables that have something to say. */
export function tablesOf(report: Report, sheet: Sheet): readonly Table[] {
  const usual = [goalTable, valueTable, cpuTable, memoryTable].map((table) => table(report, sheet));
  return [...usual, ...sheet.tables(report)].filter((table) => table.lines.length > 1);
}
