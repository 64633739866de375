// The benchmark's program: `npm run bench` builds it and runs it as root.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { currentLoad, describeMachine } from './machine.js';
import { parseOptions, type BenchOptions } from './options.js';
import { formatMarkdown } from './report/markdown.js';
import type { Report } from './report/report.js';
import { formatSummary, formatTerminal } from './report/terminal.js';
import { SectionWatch, type Later } from './section-watch.js';
import type { Section } from './section.js';

const started = Date.now();

/** Progress goes to standard error, so that standard output is the tables alone. */
function say(line: string): void {
  const seconds = String(Math.round((Date.now() - started) / 1000)).padStart(4);
  process.stderr.write(`${seconds} s · ${line}\n`);
}

/** The section that is being measured; undefined between two. */
let running: { readonly name: string; readonly watch: SectionWatch } | undefined;

async function measure(section: Section, options: BenchOptions, later: Later): Promise<Report> {
  const { name } = section.sheet;
  const began = Date.now();
  const machine = await describeMachine();
  say(`section ${name}; load average ${machine.load.join(', ')}`);
  const { quick, rounds } = options;
  const write = (line: string): void => {
    say(`${name} · ${line}`);
  };
  const watch = new SectionWatch(write, later);
  running = { name, watch };
  const findings = await section.measure({ ...options, progress: watch });
  running = undefined;
  const seconds = Math.round((Date.now() - began) / 1000);
  return { section: name, machine, loadAfter: currentLoad(), quick, rounds, seconds, ...findings };
}

function write(report: Report, section: Section, folder: string): void {
  const { name } = section.sheet;
  mkdirSync(folder, { recursive: true });
  writeFileSync(numbersOf(name, folder), `${JSON.stringify(report, undefined, 1)}\n`);
  draw(report, section, folder);
  say(`${name}: written to ${folder}`);
}

function numbersOf(section: string, folder: string): string {
  return path.join(folder, `${section}.json`);
}

function draw(report: Report, { sheet }: Section, folder: string): void {
  writeFileSync(path.join(folder, `${sheet.name}.md`), formatMarkdown(report, sheet));
  for (const { name, svg } of sheet.pictures(report, sheet))
    writeFileSync(path.join(folder, `${name}.svg`), svg);
}

/** What an earlier run has written; undefined if there is none. */
function earlier({ sheet }: Section, folder: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(numbersOf(sheet.name, folder), 'utf8')) as Report;
  } catch {
    return undefined;
  }
}

/** Judged by the last run of the same sort, in proportion to the rounds. */
function laterThan(index: number, { sections, rounds, quick, out }: BenchOptions): Later {
  const rest = sections.slice(index + 1);
  const known = rest.flatMap((section) => {
    const last = earlier(section, out);
    if (last?.seconds === undefined || last.quick !== quick) return [];
    return [(last.seconds * 1000 * rounds) / last.rounds];
  });
  const milliseconds = known.reduce((sum, one) => sum + one, 0);
  return { sections: rest.length, milliseconds, unknown: rest.length - known.length };
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${explain(error.cause)}`;
}

/** What was measured of a section that failed or was ended by a signal: hours of work, sometimes. */
function keepUnfinished({ unfinished, rounds, quick }: BenchOptions): void {
  if (running === undefined) return;
  const { name, watch } = running;
  running = undefined;
  const { samples } = watch;
  if (samples.length === 0) return;
  const file = path.join(unfinished, `${name}-unfinished.json`);
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ section: name, quick, rounds, samples }, undefined, 1)}\n`);
  const last = Math.max(...samples.map(({ round }) => round));
  say(`${name}: not finished; ${samples.length} measurements, up to round ${last}, are kept in ${file}`);
}

async function runAll(options: BenchOptions): Promise<void> {
  const reports: Report[] = [];
  for (const [index, section] of options.sections.entries()) {
    try {
      const report = await measure(section, options, laterThan(index, options));
      write(report, section, options.out);
      reports.push(report);
      if (!options.json) console.log(`${formatTerminal(report, section.sheet)}\n`);
    } catch (error) {
      // The other sections' results are worth having.
      console.error(`npm run bench: section ${section.sheet.name}: ${explain(error)}`);
      keepUnfinished(options);
      process.exitCode = 1;
    }
  }
  if (options.json) console.log(JSON.stringify(reports, undefined, 1));
  else if (reports.length > 1) {
    const sheets = options.sections.map(({ sheet }) => sheet);
    console.log(formatSummary(reports, sheets));
  }
}

function redrawAll({ sections, out }: BenchOptions): void {
  for (const section of sections) {
    const report = earlier(section, out);
    if (report === undefined) {
      console.error(`npm run bench: ${numbersOf(section.sheet.name, out)} is not there or holds no numbers`);
      process.exitCode = 1;
      continue;
    }
    draw(report, section, out);
    say(`${section.sheet.name}: drawn in ${out}`);
  }
}

const options = parseOptions(process.argv.slice(2));
// The lab ends the process at a signal.
process.once('exit', () => {
  keepUnfinished(options);
});
if (options.redraw) redrawAll(options);
else await runAll(options);
