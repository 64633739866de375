// Curves over powers of two, both axes logarithmic; what has no such axis is a level line.
import { formatNumber } from './numbers.js';
import { drawFrame, drawText } from './picture.js';

/** One curve; a level line has one value for all x. */
export interface Curve {
  readonly label: string;
  readonly colour: string;
  readonly points:
    | { readonly kind: 'curve'; readonly at: readonly (readonly [x: number, y: number])[] }
    | { readonly kind: 'level'; readonly y: number };
}

export interface Chart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  /** The marks of the x axis, ascending. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
}

const layout = { width: 760, height: 420, left: 70, right: 150, top: 48, bottom: 56 } as const;

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly marks: readonly number[];
}

function valuesOf({ points }: Curve): readonly number[] {
  return points.kind === 'level' ? [points.y] : points.at.map(([, y]) => y);
}

/** The decades are cut at 1, 2 and 5, and finer where there is less than one of them. */
function marksBetween(low: number, high: number): readonly number[] {
  const steps = high / low < 10 ? [1, 1.5, 2, 3, 4, 5, 7] : [1, 2, 5];
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
    for (const step of steps) marks.push(Number((step * 10 ** power).toPrecision(2)));
  const below = marks.filter((mark) => mark <= low).at(-1) ?? low;
  const above = marks.find((mark) => mark >= high) ?? high;
  return marks.filter((mark) => mark >= below && mark <= above);
}

function scaleOf({ x, curves }: Chart): Scale {
  const values = curves.flatMap(valuesOf).filter((value) => value > 0);
  const marks = marksBetween(Math.min(...values), Math.max(...values));
  const [low = 1, high = 10] = [marks[0], marks.at(-1)];
  const [left = 1, right = 2] = [x[0], x.at(-1)];
  const span = {
    x: layout.width - layout.left - layout.right,
    y: layout.height - layout.top - layout.bottom,
  };
  const share = (value: number, from: number, to: number): number =>
    from === to ? 0.5 : Math.log(value / from) / Math.log(to / from);
  return {
    marks,
    x: (value) => layout.left + share(value, left, right) * span.x,
    y: (value) => layout.height - layout.bottom - share(value, low, high) * span.y,
  };
}

function line(from: readonly [number, number], to: readonly [number, number], attributes: string): string {
  const [x1, y1] = from.map((value) => value.toFixed(1));
  const [x2, y2] = to.map((value) => value.toFixed(1));
  return `<line x1="${x1 ?? ''}" y1="${y1 ?? ''}" x2="${x2 ?? ''}" y2="${y2 ?? ''}" ${attributes}/>`;
}

function axes(chart: Chart, scale: Scale): readonly string[] {
  const bottom = layout.height - layout.bottom;
  const end = layout.width - layout.right;
  const small = 'font-size="11"';
  return [
    ...scale.marks.flatMap((mark) => [
      line([layout.left, scale.y(mark)], [end, scale.y(mark)], 'stroke="#ddd"'),
      drawText(layout.left - 8, scale.y(mark) + 4, String(mark), `${small} text-anchor="end"`),
    ]),
    ...chart.x.flatMap((mark) => [
      line([scale.x(mark), bottom], [scale.x(mark), bottom + 5], 'stroke="#222"'),
      drawText(scale.x(mark), bottom + 20, String(mark), `${small} text-anchor="middle"`),
    ]),
    line([layout.left, bottom], [end, bottom], 'stroke="#222"'),
    drawText((layout.left + end) / 2, bottom + 42, chart.xTitle, 'font-size="12" text-anchor="middle"'),
    drawText(layout.left - 50, layout.top - 12, chart.yTitle, 'font-size="12"'),
    drawText(layout.width - 12, layout.height - 14, 'both axes logarithmic', `${small} text-anchor="end"`),
  ];
}

/** The curve's ink; its label is written apart, so that labels can make room for each other. */
function draw({ colour, points }: Curve, scale: Scale): readonly string[] {
  if (points.kind === 'level') {
    const y = scale.y(points.y);
    const ink = `stroke="${colour}" stroke-width="2" stroke-dasharray="6 4"`;
    return [line([layout.left, y], [layout.width - layout.right, y], ink)];
  }
  const at = points.at.map(([x, y]) => [scale.x(x), scale.y(y)] as const);
  const path = at.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...at.map(([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5" fill="${colour}"/>`),
  ];
}

const lineHeight = 15;

/** At the right end, from the top down, none over another. */
function labels(curves: readonly Curve[], scale: Scale): readonly string[] {
  const ends = curves
    .map((curve) => ({ curve, value: valuesOf(curve).at(-1) ?? 0 }))
    .sort((a, b) => b.value - a.value);
  let free = -Infinity;
  return ends.map(({ curve, value }) => {
    const y = Math.max(scale.y(value) + 4, free);
    free = y + lineHeight;
    const text = `${curve.label} ${formatNumber(value)}`;
    return drawText(layout.width - layout.right + 8, y, text, `font-size="12" style="fill:${curve.colour}"`);
  });
}

/** A stand-alone SVG. */
export function drawChart(chart: Chart): string {
  const scale = scaleOf(chart);
  return drawFrame(chart.title, layout, [
    drawText(layout.left - 50, 20, chart.title, 'font-size="14" font-weight="bold"'),
    ...axes(chart, scale),
    ...chart.curves.flatMap((curve) => draw(curve, scale)),
    ...labels(chart.curves, scale),
  ]);
}
