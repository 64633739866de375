// `npm run bench`: installs what is missing, builds, and runs the benchmark of test/bench. `npm run bench -- --help`
// lists the options; they go to the benchmark unchanged.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensurePrerequisites, repository } from './prerequisites.mjs';
import { ensureBuilt, ensureNodeModules } from './project.mjs';

const passedOn = process.argv.slice(2);
/** Needs neither a lab nor root. */
const measuresNothing = ['--help', '-h', '--redraw'].some((option) => passedOn.includes(option));

try {
  ensureNodeModules();
  ensureBuilt();
  const reason = measuresNothing ? undefined : obstacle();
  if (reason !== undefined) throw new Error(reason);
  process.exitCode = await run(path.join(repository, 'dist/test/bench/main.js'));
} catch (error) {
  console.error(`npm run bench: ${error.message}`);
  process.exitCode = 1;
}

/** Ctrl-C reaches both processes; this one waits until the other has ended its programs and kept its numbers. */
function run(main) {
  const child = spawn(process.execPath, [main, ...passedOn], { cwd: repository, stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Why the benchmark can't run here, or undefined. */
function obstacle() {
  if (process.platform !== 'linux')
    return `network namespaces exist on Linux only, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'not root, and network namespaces need root';
  return ensurePrerequisites('bench');
}
