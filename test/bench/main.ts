// The benchmark's program: `npm run bench` builds it and runs it as root.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ContenderName } from './contenders/contender.js';
import { hasModProxy } from './contenders/mod-proxy.js';
import { openField } from './field.js';
import { describeMachine } from './machine.js';
import { parseOptions, type BenchOptions } from './options.js';
import { formatMarkdown } from './report/markdown.js';
import { formatPlot } from './report/plot.js';
import { formatTerminal } from './report/terminal.js';
import type { Report } from './report/report.js';
import { metrics, runRounds } from './rounds.js';

const started = Date.now();

/** Progress goes to standard error, so that standard output is the table alone. */
function say(line: string): void {
  const seconds = String(Math.round((Date.now() - started) / 1000)).padStart(4);
  process.stderr.write(`${seconds} s · ${line}\n`);
}

function missing(names: readonly ContenderName[]): Partial<Record<ContenderName, string>> {
  return names.includes('mod_proxy') && !hasModProxy()
    ? { mod_proxy: 'its packages are not unpacked (node installers/dev/prerequisites.mjs bench)' }
    : {};
}

async function measure(options: BenchOptions): Promise<Report> {
  const leftOut = missing(options.contenders);
  const contenders = options.contenders.filter((name) => leftOut[name] === undefined);
  for (const [name, reason] of Object.entries(leftOut)) say(`without ${name}: ${reason}`);
  say(`opening the lab with ${contenders.join(', ')}`);
  const machine = await describeMachine();
  const field = await openField(contenders, options.sizes);
  try {
    const measurements = await runRounds(field, options, say);
    const { quick, rounds, sizes } = options;
    return {
      machine,
      quick,
      rounds,
      sizes,
      contenders,
      leftOut,
      metrics,
      ...measurements,
    };
  } finally {
    await field.close();
  }
}

function write(report: Report, folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'latest.json'), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(path.join(folder, 'latest.md'), formatMarkdown(report));
  writeFileSync(path.join(folder, 'latest.svg'), formatPlot(report));
  say(`written to ${folder}`);
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n${explain(error.cause)}`;
}

const options = parseOptions(process.argv.slice(2));
try {
  const report = await measure(options);
  console.log(formatTerminal(report));
  write(report, options.out);
} catch (error) {
  console.error(`npm run bench: ${explain(error)}`);
  process.exitCode = 1;
}
