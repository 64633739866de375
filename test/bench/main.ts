// The benchmark's program: `npm run bench` builds it and runs it as root.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { currentLoad, describeMachine } from './machine.js';
import { parseOptions, type BenchOptions } from './options.js';
import { formatMarkdown } from './report/markdown.js';
import type { Report } from './report/report.js';
import { formatTerminal } from './report/terminal.js';
import type { Section } from './section.js';

const started = Date.now();

/** Progress goes to standard error, so that standard output is the tables alone. */
function say(line: string): void {
  const seconds = String(Math.round((Date.now() - started) / 1000)).padStart(4);
  process.stderr.write(`${seconds} s · ${line}\n`);
}

async function measure(section: Section, options: BenchOptions): Promise<Report> {
  const { name } = section.sheet;
  const machine = await describeMachine();
  say(`section ${name}; load average ${machine.load.join(', ')}`);
  const { quick, rounds } = options;
  const findings = await section.measure({
    ...options,
    say: (line) => {
      say(`${name} · ${line}`);
    },
  });
  return { section: name, machine, loadAfter: currentLoad(), quick, rounds, ...findings };
}

function write(report: Report, { sheet }: Section, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const to = (file: string, text: string): void => {
    writeFileSync(path.join(folder, file), text);
  };
  to(`${sheet.name}.json`, `${JSON.stringify(report, undefined, 1)}\n`);
  to(`${sheet.name}.md`, formatMarkdown(report, sheet));
  for (const { name, svg } of sheet.pictures(report, sheet)) to(`${name}.svg`, svg);
  say(`${sheet.name}: written to ${folder}`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${explain(error.cause)}`;
}

const options = parseOptions(process.argv.slice(2));
const reports: Report[] = [];
for (const section of options.sections) {
  try {
    const report = await measure(section, options);
    write(report, section, options.out);
    reports.push(report);
    if (!options.json) console.log(`${formatTerminal(report, section.sheet)}\n`);
  } catch (error) {
    // The other sections' results are worth having.
    console.error(`npm run bench: section ${section.sheet.name}: ${explain(error)}`);
    process.exitCode = 1;
  }
}
if (options.json) console.log(JSON.stringify(reports, undefined, 1));
