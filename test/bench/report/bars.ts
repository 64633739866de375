// The report as a bar plot: for each metric how good every contender is, with the first reference as 1. Longer is better.
// A goal that the scale has room for is a stroke across the bars that it is about.
import type { Goal } from '../results.js';
import { median } from '../statistics.js';
import { formatNumber } from './numbers.js';
import { colourOf, drawFrame, drawText, type Picture } from './picture.js';
import { othersOf, rowsOf, type Report, type Row } from './report.js';
import type { Sheet } from './sheet.js';

const layout = {
  width: 880,
  label: 230,
  right: 150,
  bar: 14,
  gap: 3,
  group: 16,
  top: 64,
  longest: 3,
} as const;

function medianOf(report: Report, metric: string, contender: string): number | undefined {
  const values = report.samples
    .filter((one) => one.metric === metric && one.contender === contender)
    .map((one) => one.value);
  return values.length === 0 ? undefined : median(values);
}

/** How many times as good as the reference such a value is, whichever direction is better. */
function merit(row: Row, value: number | undefined, reference: number | undefined): number | undefined {
  if (value === undefined || reference === undefined) return undefined;
  return row.metric.better === 'more' ? value / reference : reference / value;
}

/** The value that just meets the goal; undefined for a goal about something else, or about someone who did not take part. */
function wantedValue(goal: Goal, row: Row, report: Report, reference: string): number | undefined {
  if (goal.metric !== row.metric.name || goal.of !== 'value') return undefined;
  const { bound } = goal;
  if ('amount' in bound) return bound.amount;
  const measure = medianOf(report, goal.metric, bound.to ?? reference);
  if (measure === undefined) return undefined;
  return 'ratio' in bound ? bound.ratio * measure : bound.beyond + measure;
}

/** Wide enough for a letter of a label or the legend in any sans-serif. */
const letter = 7.5;

const haloed = 'font-size="11" stroke="#fff" stroke-width="3" paint-order="stroke"';

const scale = (layout.width - layout.label - layout.right) / layout.longest;

interface Bar {
  readonly y: number;
  readonly colour: string;
  readonly length: number;
  readonly label: string;
  /** Where strokes lie that the label must not be under, ascending. */
  readonly strokes: readonly number[];
}

function bar({ y, colour, length, label, strokes }: Bar): string {
  const width = Math.max(1, Math.min(length, layout.longest) * scale);
  const text = length > layout.longest ? `${label} »` : label;
  const from = strokes.reduce(
    (x, stroke) => (stroke > x - 5 && stroke < x + text.length * letter ? stroke + 6 : x),
    layout.label + width + 5,
  );
  return [
    `<rect x="${layout.label}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${layout.bar}" fill="${colour}"/>`,
    drawText(from, y + layout.bar - 3, text, haloed),
  ].join('\n');
}

const goalColour = '#d0210b';

/** A stroke across the bars that the goal is about; white beside it, so that it shows on any of them. */
function goalMark(x: number, top: number, bottom: number): string {
  const at = `x1="${x.toFixed(1)}" y1="${(top - 3).toFixed(1)}" x2="${x.toFixed(1)}" y2="${(bottom + 3).toFixed(1)}"`;
  return `<line ${at} stroke="#fff" stroke-width="5"/>\n<line ${at} stroke="${goalColour}" stroke-width="2.5"/>`;
}

interface Group {
  readonly svg: string;
  readonly bottom: number;
  readonly hasGoals: boolean;
}

interface Setting {
  readonly report: Report;
  readonly sheet: Sheet;
  readonly reference: string;
}

function group(row: Row, setting: Setting, top: number): Group | undefined {
  const { report, sheet, reference } = setting;
  const measure = medianOf(report, row.metric.name, reference);
  const judged = [sheet.subject, ...othersOf(report)];
  const strokes = strokesOf(row, setting);
  const bars: string[] = [];
  let y = top;
  let judgedBottom = top;
  for (const [index, summary] of row.values.entries()) {
    const length = merit(row, summary?.value, measure);
    if (summary === undefined || length === undefined) continue;
    const isJudged = judged.includes(summary.contender);
    const label = `${formatNumber(summary.value)} ${row.metric.unit}`;
    bars.push(bar({ y, colour: colourOf(index), length, label, strokes: isJudged ? strokes : [] }));
    if (isJudged) judgedBottom = y + layout.bar;
    y += layout.bar + layout.gap;
  }
  if (bars.length === 0) return undefined;
  const goals = judgedBottom === top ? [] : strokes.map((x) => goalMark(x, top, judgedBottom));
  const middle = (top + y - layout.gap) / 2 + 4;
  const title = drawText(layout.label - 10, middle, row.metric.title, 'text-anchor="end" font-size="13"');
  return {
    svg: [...bars, ...goals, title].join('\n'),
    bottom: y + layout.group,
    hasGoals: goals.length > 0,
  };
}

/** Where the goals of a row lie that the scale has room for, ascending. */
function strokesOf(row: Row, { report, sheet, reference }: Setting): readonly number[] {
  const measure = medianOf(report, row.metric.name, reference);
  return sheet.goals
    .flatMap((goal) => merit(row, wantedValue(goal, row, report, reference), measure) ?? [])
    .filter((length) => length <= layout.longest)
    .map((length) => layout.label + length * scale)
    .sort((one, other) => one - other);
}

/** Of those who have a bar at all, and of the goals if there are any. */
function legend(report: Report, rows: readonly Row[], hasGoals: boolean): string {
  const items = report.contenders.flatMap((name, index) =>
    rows.some((row) => row.values[index] !== undefined) ? [{ name, colour: colourOf(index) }] : [],
  );
  const parts: string[] = [];
  let x: number = layout.label;
  const put = (name: string, sign: string): void => {
    parts.push(sign, drawText(x + 17, 44, name, 'font-size="12"'));
    x += 17 + name.length * letter + 16;
  };
  for (const { name, colour } of items)
    put(name, `<rect x="${x.toFixed(1)}" y="34" width="12" height="12" fill="${colour}"/>`);
  if (hasGoals) put(`goals`, goalMark(x + 6, 36, 44));
  return parts.join('\n');
}

/** The picture, named like the section; none if the reference was not measured. */
export function drawBars(report: Report, sheet: Sheet): readonly Picture[] {
  const [reference] = sheet.references;
  if (reference === undefined || !report.contenders.includes(reference)) return [];
  const groups: string[] = [];
  let y: number = layout.top;
  let hasGoals = false;
  const rows = rowsOf(report, sheet);
  for (const row of rows) {
    const drawn = group(row, { report, sheet, reference }, y);
    if (drawn === undefined) continue;
    groups.push(drawn.svg);
    hasGoals ||= drawn.hasGoals;
    y = drawn.bottom;
  }
  const one = layout.label + scale;
  const title = `How good beside ${reference} (dashed line), median; longer is better`;
  const svg = drawFrame(title, { width: layout.width, height: y }, [
    drawText(layout.label, 22, title, 'font-size="14" font-weight="bold"'),
    legend(report, rows, hasGoals),
    `<line x1="${one.toFixed(1)}" y1="${layout.top - 8}" x2="${one.toFixed(1)}" y2="${y - layout.group}" stroke="#222" stroke-dasharray="4 3"/>`,
    // Over the dashed line, which some of the labels would touch.
    ...groups,
  ]);
  return [{ name: sheet.name, alt: `${sheet.subject} beside the others, ${reference} is 1`, svg }];
}
