// The report of a section as a page of the documentation.
import { tablesOf, type Table } from './tables.js';
import type { Report } from './report.js';
import type { Sheet } from './sheet.js';

function draw(table: Table): string {
  const [head = [], ...lines] = table.lines;
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = row(head.map((_, column) => (column === 0 ? ':--' : '--:')));
  return [`## ${table.title}`, '', row(head), rule, ...lines.map(row)].join('\n');
}

/** Above this many running processes a core, something else was at work when the run began. */
const busyLoad = 0.5;

function conditions(report: Report, sheet: Sheet): string {
  const { machine } = report;
  const versions = sheet.programs.map((name) => `${name} ${machine.versions[name] ?? 'unknown'}`);
  const isBusy = (machine.load[0] ?? 0) > busyLoad * machine.cores;
  const busy = isBusy
    ? [
        'The machine had other work to do: only the ratios within the interleaved rounds count, the absolute numbers do not.',
      ]
    : [];
  return [
    `${machine.date}, commit ${machine.commit}. ${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel},`,
    `${versions.join(', ')}.`,
    `Rounds: ${report.rounds}, the contenders taking turns; clients, servers and everything in between share the cores.`,
    `Load average before the run: ${machine.load.join(', ')}; after it, its own work included: ${report.loadAfter.join(', ')}.`,
    ...busy,
    ...sheet.conditions(report),
  ].join('\n');
}

function contenders(report: Report, sheet: Sheet): string {
  const lines = report.contenders.map(
    (name) => `- **${name}**: ${sheet.contenders[name] ?? report.others?.[name] ?? ''}`,
  );
  const missing = Object.entries(report.leftOut).map(
    ([name, reason]) => `- ${name} did not take part: ${reason}`,
  );
  return [...lines, ...missing].join('\n');
}

/** The page; its pictures lie beside it. */
export function formatMarkdown(report: Report, sheet: Sheet): string {
  const pictures = sheet.pictures(report, sheet).map(({ name, alt }) => `![${alt}](${name}.svg)`);
  const parts = [
    `# Benchmark: ${sheet.title}`,
    `Made by \`npm run bench -- --only ${sheet.name}\`; not edited by hand.`,
    conditions(report, sheet),
    contenders(report, sheet),
    ...pictures,
    ...tablesOf(report, sheet).map(draw),
    `## How to read it\n\n${sheet.notes}`,
  ];
  return `${parts.join('\n\n')}\n`;
}
