// The report for people who watched the run.
import type { Report } from './report.js';
import type { Sheet } from './sheet.js';
import { goalsTitle, goalTable, tablesOf, type Table } from './tables.js';

function draw(table: Table): string {
  const columns = Math.max(...table.lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...table.lines.map((line) => (line[column] ?? '').length)),
  );
  const lines = table.lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 || column === columns - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [table.title, ...lines].join('\n');
}

/** The title and all tables, a blank line between them; the goals last, where they are still on the screen. */
export function formatTerminal(report: Report, sheet: Sheet): string {
  const [goals, ...others] = tablesOf(report, sheet);
  const tables = goals?.title === goalsTitle ? [...others, goals] : tablesOf(report, sheet);
  return [sheet.title, ...tables.map(draw)].join('\n\n');
}

/** What a run comes down to: the goals of all its sections. */
export function formatSummary(reports: readonly Report[], sheets: readonly Sheet[]): string {
  const tables = reports.flatMap((report) => {
    const sheet = sheets.find(({ name }) => name === report.section);
    const table = sheet === undefined ? undefined : goalTable(report, sheet);
    if (sheet === undefined || table === undefined || table.lines.length <= 1) return [];
    return [draw({ ...table, title: `Goals: ${sheet.title}` })];
  });
  return tables.length === 0 ? 'No goal was measured.' : tables.join('\n\n');
}
