// The soak's program: `npm run soak` builds it and runs it as root.
import { describeMachine } from '../bench/machine.js';
import { parseOptions } from './options.js';
import { soak } from './soak.js';
import { formatSummary } from './summary.js';

const options = parseOptions(process.argv.slice(2));
const ending = new AbortController();
// The harness ends at once on these; a soak sums up what ran. A second one ends at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.removeAllListeners(signal);
  process.on(signal, () => {
    if (ending.signal.aborted) process.exit(1);
    say('ending early; clients finish what they began');
    ending.abort();
  });
}

/** Progress goes to standard error, so that standard output is the summary alone. */
function say(line: string): void {
  process.stderr.write(`· ${line}\n`);
}

try {
  const machine = await describeMachine();
  const progressMs = process.stderr.isTTY ? 10_000 : 60_000;
  const summary = await soak(options, { say, progressMs, signal: ending.signal });
  console.log(
    options.json ? JSON.stringify({ ...summary, machine }, undefined, 1) : formatSummary(summary, machine),
  );
  process.exitCode = summary.broken.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`npm run soak: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exitCode = 1;
}
