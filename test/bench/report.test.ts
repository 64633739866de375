// The report as table, page and plot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf, samplesOf } from './report-fixture.js';
import { formatMarkdown } from './report/markdown.js';
import { drawBars } from './report/bars.js';
import { drawChart } from './report/curves.js';
import { formatSummary, formatTerminal } from './report/terminal.js';
import { foreignResult, situationNames, type ForeignBatches } from './redirect/foreign-result.js';
import { redirectSheet } from './redirect/sheet.js';
import { serveSheet } from './serve/sheet.js';

const report = reportOf([
  ...samplesOf('download', 'ftpseal', [450, 500, 550], 1.2),
  ...samplesOf('download', 'mod_proxy', [400, 400, 400], 1.5),
  ...samplesOf('logins', 'ftpseal', [20]),
  ...samplesOf('logins', 'mod_proxy', [10]),
  ...samplesOf('greeting', 'ftpseal', [2.5]),
  ...samplesOf('greeting', 'plain', [2]),
  ...samplesOf('idle-memory', 'ftpseal', [50]).map((sample) => ({
    ...sample,
    raw: { pssBefore: 100 * 2 ** 20 },
  })),
]);

function lineOf(text: string, start: string): string {
  return text.split('\n').find((line) => line.startsWith(start)) ?? '';
}

test('the table shows medians, the ratio with its range, and whether a goal is met', () => {
  const text = formatTerminal(report, redirectSheet);
  assert.match(lineOf(text, 'download '), /500\s+400\s+1\.25 \(1\.13 to 1\.38\)/);
  assert.match(lineOf(text, 'bulk download'), /at least 1\.30 × mod_proxy +500 MB\/s +1\.25 .* missed$/);
  assert.match(
    lineOf(text, 'CPU per GiB, download'),
    /at most 0\.70 × mod_proxy +1\.20 s\/GiB +0\.80 .* missed$/,
  );
  assert.match(
    lineOf(text, 'connect to 220'),
    /at most plain \+ 1\.00 ms +2\.50 ms +\+0\.50 \(0\.50 to 0\.50\) ms +met$/,
  );
  assert.match(lineOf(text, 'memory without'), /at most 120 MiB +100 MiB +100 \(100 to 100\) MiB +met$/);
});

test('the same program in another form is judged beside the subject, and is one more to be compared with', () => {
  const both = reportOf([
    ...samplesOf('download', 'ftpseal', [450], 1.2),
    ...samplesOf('download', 'ftpseal-24', [600], 1.2),
    ...samplesOf('download', 'mod_proxy', [400], 1.5),
  ]);
  const others = { 'ftpseal-24': 'the same, under Node v24' };
  const page = { ...both, contenders: ['ftpseal', 'ftpseal-24', 'mod_proxy'], others };
  const text = formatTerminal(page, redirectSheet);
  assert.match(lineOf(text, 'bulk download'), / 450 MB\/s +1\.13 .* missed +600 MB\/s +1\.50 .* met$/);
  assert.match(lineOf(text, 'download '), / 0\.75$/);
  assert.match(formatMarkdown(page, redirectSheet), /\*\*ftpseal-24\*\*: the same, under Node v24/);
});

test('other traffic is as it would be without rules if the interval says so', () => {
  const lineWith = (low: number, high: number): string => {
    const foreign = { withRules: [80], without: [79], ratio: 1.01, interval: { low, high } };
    const page = { ...reportOf(samplesOf('logins', 'mod_proxy', [10])), foreign };
    return lineOf(formatTerminal(page, redirectSheet), 'other traffic');
  };
  assert.match(lineWith(0.99, 1.03), /interval includes 1 +80\.0 µs +1\.010 \(0\.990 to 1\.030\) +met$/);
  assert.match(lineWith(1.01, 1.03), / missed$/);
});

test('what keeps other traffic from its goal is said beside the verdict, from the same run', () => {
  const times: ForeignBatches = {
    ...{ without: [50, 60], tracking: [54, 64], redirect: [55.5, 65.5], withRules: [58, 68] },
    ...{ firewall: [54.4, 64.4], firewallAndOurs: [57, 67] },
  };
  const foreign = foreignResult([times, times]);
  const page = { ...reportOf(samplesOf('logins', 'mod_proxy', [10])), foreign };
  const text = formatTerminal(page, redirectSheet);
  assert.match(
    lineOf(text, 'other traffic'),
    / missed: of 8\.00 µs more, 5\.50 come with anybody’s first redirect/,
  );
  assert.match(
    lineOf(text, 'one `redirect` rule'),
    / 60\.5 +5\.50 +5\.50 to 5\.50 +1\.101 +1\.092 to 1\.110$/,
  );
  assert.match(lineOf(text, 'ours, where that firewall'), / 62\.0 +2\.60 /);
  assert.equal(foreignResult([]), undefined);
  assert.equal(situationNames.length, 6);
});

test('a run ends with the goals of its sections, those without any left out', () => {
  const serve = { ...reportOf([]), section: serveSheet.name };
  const text = formatSummary([serve, report], [redirectSheet, serveSheet]);
  assert.match(text, /^Goals: the redirect\n/);
  assert.match(lineOf(text, 'small files') || lineOf(text, 'bulk download'), /missed$/);
  assert.match(formatSummary([serve], [serveSheet]), /No goal/);
});

test('every line of a Markdown table has as many cells as its head', () => {
  const tables = formatMarkdown(report, redirectSheet)
    .split('\n\n')
    .filter((part) => part.startsWith('| '));
  assert.equal(tables.length, 4);
  for (const table of tables) {
    const counts = table.split('\n').map((line) => line.split('|').length);
    assert.equal(new Set(counts).size, 1, table);
  }
});

test('in the plot a longer bar is a better one, whichever way the metric counts', () => {
  const widths = [
    ...(drawBars(report, redirectSheet)[0]?.svg ?? '').matchAll(
      /<rect x="230" y="[\d.]+" width="([\d.]+)" height="14"/g,
    ),
  ].map((match) => Number(match[1]));
  const [fastDownload = 0, reference = 0, slowLogin = 0, sameReference = 0] = widths;
  assert.equal(widths.length, 4);
  assert.ok(fastDownload > reference);
  assert.ok(slowLogin < sameReference);
  assert.equal(reference, sameReference);
});

test('a goal is a stroke at the length that would meet it, on the bars of the subject alone', () => {
  const svg = drawBars(report, redirectSheet)[0]?.svg ?? '';
  const strokes = [...svg.matchAll(/<line x1="([\d.]+)" y1="([\d.]+)" [^>]*stroke-width="2.5"/g)];
  // The legend's comes first. Of the goals of a download only the one beside mod_proxy has its contender here.
  assert.equal(strokes.length, 2);
  const one = Number(/<line x1="([\d.]+)" [^>]*stroke-dasharray/.exec(svg)?.[1]);
  const at = Number(strokes[1]?.[1]);
  assert.ok(Math.abs((at - 230) / (one - 230) - 1.3) < 0.01);
  assert.doesNotMatch(drawBars(report, serveSheet)[0]?.svg ?? '', /stroke-width="2.5"/);
});

test('a run without a contender or a metric is reported with what it has', () => {
  const partial = { ...report, contenders: ['ftpseal'], leftOut: { mod_proxy: 'not there' } };
  assert.match(formatMarkdown(partial, redirectSheet), /mod_proxy did not take part: not there/);
  assert.doesNotMatch(formatTerminal(reportOf([]), redirectSheet), /login/);
});

test('a page says so when the machine was busy', () => {
  const busy = { ...report, machine: { ...report.machine, load: [8, 7, 6] } };
  assert.match(formatMarkdown(busy, redirectSheet), /had other work to do/);
  assert.doesNotMatch(formatMarkdown(report, redirectSheet), /had other work to do/);
});

test('in a chart more is higher up, and labels that would lie over each other make room', () => {
  const curve = (label: string, y: number) => ({
    label,
    colour: '#000',
    points: {
      kind: 'curve',
      at: [
        [4, y],
        [128, 2 * y],
      ],
    } as const,
  });
  const curves = [curve('slow', 10), curve('fast', 100), curve('faster', 101)];
  const svg = drawChart({ title: 'rates', xTitle: 'x', yTitle: 'y', x: [4, 32, 128], curves });
  const [slow, fast] = [...svg.matchAll(/<polyline points="[\d.]+,([\d.]+) [\d.]+,([\d.]+)"/g)];
  assert.ok(Number(slow?.[1]) > Number(slow?.[2]));
  assert.ok(Number(slow?.[2]) > Number(fast?.[1]));
  const labels = [...svg.matchAll(/y="([\d.]+)" [^>]*>(?:faster|fast) /g)].map((match) => Number(match[1]));
  assert.equal(labels.length, 2);
  assert.ok((labels[1] ?? 0) - (labels[0] ?? 0) > 14.5);
});
