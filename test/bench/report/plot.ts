// The report as a bar plot: for each metric how fast every contender is, with mod_proxy as 1. Longer is better.
import type { ContenderName } from '../contenders/contender.js';
import { median } from '../statistics.js';
import { formatNumber } from './numbers.js';
import { rowsOf, type Report, type Row } from './report.js';

const colours: Readonly<Record<ContenderName, string>> = {
  ftpseal: '#0b6e99',
  mod_proxy: '#8a8f98',
  native: '#c07f2c',
  plain: '#b9bec6',
};

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

/** How many times as good as mod_proxy, whichever direction is better. */
function merit(row: Row, report: Report, name: ContenderName): number | undefined {
  const values = (who: ContenderName): readonly number[] =>
    report.samples
      .filter((one) => one.metric === row.metric.name && one.contender === who)
      .map((one) => one.value);
  const own = values(name);
  const reference = values('mod_proxy');
  if (own.length === 0 || reference.length === 0) return undefined;
  const quotient = median(own) / median(reference);
  return row.metric.better === 'more' ? quotient : 1 / quotient;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped}</text>`;
}

function bar(y: number, name: ContenderName, length: number, label: string): string {
  const scale = (layout.width - layout.label - layout.right) / layout.longest;
  const width = Math.max(1, Math.min(length, layout.longest) * scale);
  const cut = length > layout.longest ? ' »' : '';
  return [
    `<rect x="${layout.label}" y="${y.toFixed(1)}" width="${width.toFixed(1)}" height="${layout.bar}" fill="${colours[name]}"/>`,
    text(layout.label + width + 5, y + layout.bar - 3, `${label}${cut}`, 'font-size="11"'),
  ].join('\n');
}

function group(row: Row, report: Report, top: number): { readonly svg: string; readonly bottom: number } {
  const parts: string[] = [];
  let y = top;
  for (const summary of row.values) {
    const length = summary === undefined ? undefined : merit(row, report, summary.contender);
    if (summary === undefined || length === undefined) continue;
    parts.push(bar(y, summary.contender, length, `${formatNumber(summary.value)} ${row.metric.unit}`));
    y += layout.bar + layout.gap;
  }
  const middle = (top + y - layout.gap) / 2 + 4;
  parts.push(text(layout.label - 10, middle, row.metric.title, 'text-anchor="end" font-size="13"'));
  return { svg: parts.join('\n'), bottom: y + layout.group };
}

function legend(report: Report): string {
  return report.contenders
    .map((name, index) => {
      const x = layout.label + index * 120;
      const box = `<rect x="${x}" y="34" width="12" height="12" fill="${colours[name]}"/>`;
      return `${box}\n${text(x + 17, 44, name, 'font-size="12"')}`;
    })
    .join('\n');
}

/** A stand-alone SVG on a white ground. */
export function formatPlot(report: Report): string {
  const groups: string[] = [];
  let y: number = layout.top;
  for (const row of rowsOf(report)) {
    const drawn = group(row, report, y);
    groups.push(drawn.svg);
    y = drawn.bottom;
  }
  const one = layout.label + (layout.width - layout.label - layout.right) / layout.longest;
  const title = 'How good beside mod_proxy (dashed line), median; longer is better';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${y}" font-family="sans-serif" fill="#222" role="img">`,
    `<title>${title}</title>`,
    `<rect width="${layout.width}" height="${y}" fill="#fff"/>`,
    text(layout.label, 22, title, 'font-size="14" font-weight="bold"'),
    legend(report),
    ...groups,
    `<line x1="${one.toFixed(1)}" y1="${layout.top - 8}" x2="${one.toFixed(1)}" y2="${y - layout.group}" stroke="#222" stroke-dasharray="4 3"/>`,
    '</svg>',
    '',
  ].join('\n');
}
