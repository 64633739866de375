// The report as a bar plot: for each metric how good every contender is, with the first reference as 1. Longer is better.
import { median } from '../statistics.js';
import { formatNumber } from './numbers.js';
import { colourOf, drawFrame, drawText, type Picture } from './picture.js';
import { rowsOf, type Report, type Row } from './report.js';
import type { Sheet } from './sheet.js';

const layout = {
  width: 860,
  label: 210,
  right: 150,
  bar: 14,
  gap: 3,
  group: 16,
  top: 64,
  longest: 3,
} as const;

/** How many times as good as the reference, whichever direction is better. */
function merit(row: Row, report: Report, name: string, reference: string): number | undefined {
  const values = (who: string): readonly number[] =>
    report.samples
      .filter((one) => one.metric === row.metric.name && one.contender === who)
      .map((one) => one.value);
  const own = values(name);
  const measure = values(reference);
  if (own.length === 0 || measure.length === 0) return undefined;
  const quotient = median(own) / median(measure);
  return row.metric.better === 'more' ? quotient : 1 / quotient;
}

const haloed = 'font-size="11" stroke="#fff" stroke-width="3" paint-order="stroke"';

function bar(y: number, colour: string, length: number, label: string): string {
  const scale = (layout.width - layout.label - layout.right) / layout.longest;
  const width = Math.max(1, Math.min(length, layout.longest) * scale);
  const cut = length > layout.longest ? ' »' : '';
  return [
    `<rect x="${layout.label}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${layout.bar}" fill="${colour}"/>`,
    drawText(layout.label + width + 5, y + layout.bar - 3, `${label}${cut}`, haloed),
  ].join('\n');
}

interface Group {
  readonly svg: string;
  readonly bottom: number;
}

function group(row: Row, report: Report, reference: string, top: number): Group | undefined {
  const parts: string[] = [];
  let y = top;
  for (const [index, summary] of row.values.entries()) {
    const length = summary === undefined ? undefined : merit(row, report, summary.contender, reference);
    if (summary === undefined || length === undefined) continue;
    parts.push(bar(y, colourOf(index), length, `${formatNumber(summary.value)} ${row.metric.unit}`));
    y += layout.bar + layout.gap;
  }
  if (parts.length === 0) return undefined;
  const middle = (top + y - layout.gap) / 2 + 4;
  parts.push(drawText(layout.label - 10, middle, row.metric.title, 'text-anchor="end" font-size="13"'));
  return { svg: parts.join('\n'), bottom: y + layout.group };
}

/** Of those who have a bar at all. */
function legend(report: Report, rows: readonly Row[]): string {
  const shown = report.contenders.flatMap((name, index) =>
    rows.some((row) => row.values[index] !== undefined) ? [{ name, colour: colourOf(index) }] : [],
  );
  return shown
    .map(({ name, colour }, index) => {
      const x = layout.label + index * 120;
      const box = `<rect x="${x}" y="34" width="12" height="12" fill="${colour}"/>`;
      return `${box}\n${drawText(x + 17, 44, name, 'font-size="12"')}`;
    })
    .join('\n');
}

/** The picture, named like the section; none if the reference was not measured. */
export function drawBars(report: Report, sheet: Sheet): readonly Picture[] {
  const [reference] = sheet.references;
  if (reference === undefined || !report.contenders.includes(reference)) return [];
  const groups: string[] = [];
  let y: number = layout.top;
  const rows = rowsOf(report, sheet);
  for (const row of rows) {
    const drawn = group(row, report, reference, y);
    if (drawn === undefined) continue;
    groups.push(drawn.svg);
    y = drawn.bottom;
  }
  const one = layout.label + (layout.width - layout.label - layout.right) / layout.longest;
  const title = `How good beside ${reference} (dashed line), median; longer is better`;
  const svg = drawFrame(title, { width: layout.width, height: y }, [
    drawText(layout.label, 22, title, 'font-size="14" font-weight="bold"'),
    legend(report, rows),
    `<line x1="${one.toFixed(1)}" y1="${layout.top - 8}" x2="${one.toFixed(1)}" y2="${y - layout.group}" stroke="#222" stroke-dasharray="4 3"/>`,
    // Over the dashed line, which some of the labels would touch.
    ...groups,
  ]);
  return [{ name: sheet.name, alt: `${sheet.subject} beside the others, ${reference} is 1`, svg }];
}
