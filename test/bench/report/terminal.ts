// The report for people who watched the run.
import { tablesOf, type Table } from './tables.js';
import type { Report } from './report.js';
import type { Sheet } from './sheet.js';

function draw(table: Table): string {
  const columns = Math.max(...table.lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...table.lines.map((line) => (line[column] ?? '').length)),
  );
  const lines = table.lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return [table.title, ...lines].join('\n');
}

/** The title and all tables, a blank line between them. */
export function formatTerminal(report: Report, sheet: Sheet): string {
  return [sheet.title, ...tablesOf(report, sheet).map(draw)].join('\n\n');
}
