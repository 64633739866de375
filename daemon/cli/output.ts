// How the commands print: text for people, or one JSON document with `--json`. Text from outside is made printable.
import { printable } from '../sys/redact.js';
import { visible, visibleJson } from '../sys/visible.js';

export interface JsonOption {
  readonly json?: boolean;
}

/** One line (or several) on standard output. Names and comments of others are in it: none of them reaches the terminal's own language. */
export function print(text: string): void {
  process.stdout.write(`${visible(text)}\n`);
}

/** One JSON document; what would move a terminal's cursor or turn its text around is escaped. */
export function printJson(value: unknown, indent?: number): void {
  print(visibleJson(JSON.stringify(value, undefined, indent)));
}

/** With `--json` the value, else the lines that the function makes. */
export function show(value: unknown, options: JsonOption, toText: () => string): void {
  if (options.json === true) printJson(value, 2);
  else print(toText());
}

export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  /** May be cut when the table is wider than the page; others keep their width. */
  readonly flexible?: boolean;
  readonly right?: boolean;
}

const gap = '  ';

/** A table that fits the page: columns as wide as their content, flexible ones cut with an ellipsis. */
export function formatTable<T>(columns: readonly Column<T>[], rows: readonly T[], pageWidth = 80): string {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = fitWidths(columns, cells, pageWidth);
  const line = (texts: readonly string[]) =>
    texts
      .map((text, index) => align(text, widths[index] ?? 0, columns[index]?.right === true))
      .join(gap)
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...cells.map(line)].join('\n');
}

function fitWidths<T>(
  columns: readonly Column<T>[],
  cells: readonly (readonly string[])[],
  pageWidth: number,
): readonly number[] {
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const total = () => widths.reduce((sum, width) => sum + width, gap.length * (columns.length - 1));
  while (total() > pageWidth) {
    const candidates = columns.flatMap((column, index) => (column.flexible === true ? [index] : []));
    const widest = candidates.reduce(
      (a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a),
      candidates[0] ?? 0,
    );
    const width = widths[widest] ?? 0;
    if (candidates.length === 0 || width <= 8) break;
    widths[widest] = width - 1;
  }
  return widths;
}

function align(text: string, width: number, right: boolean): string {
  const cut = text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
  return right ? cut.padStart(width) : cut.padEnd(width);
}

/** `just now`, `5 min ago`, `3 h ago`, `12 days ago`, then the date. */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 60) return seconds < 5 ? 'just now' : `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 60 * 86_400) return `${Math.floor(seconds / 86_400)} days ago`;
  return new Date(at).toISOString().slice(0, 10);
}

/** `12 s`, `5 min`, `3 h`, `4 days`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 48 * 3600 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

/** `999 B`, `12.3 kB`, `4.5 GB`. */
export function formatBytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
