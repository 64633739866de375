// `npm run bench`: installs what is missing, builds, and runs the benchmark of test/bench. `npm run bench -- --help`
// lists the options; they go to the benchmark unchanged.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensurePrerequisites, repository } from './prerequisites.mjs';
import { ensureBuilt, ensureNodeModules } from './project.mjs';

const passedOn = process.argv.slice(2);
const asksForHelp = passedOn.includes('--help') || passedOn.includes('-h');

try {
  ensureNodeModules();
  ensureBuilt();
  const reason = asksForHelp ? undefined : obstacle();
  if (reason !== undefined) throw new Error(reason);
  const main = path.join(repository, 'dist/test/bench/main.js');
  const result = spawnSync(process.execPath, [main, ...passedOn], { cwd: repository, stdio: 'inherit' });
  if (result.error !== undefined) throw result.error;
  process.exitCode = result.status ?? 1;
} catch (error) {
  console.error(`npm run bench: ${error.message}`);
  process.exitCode = 1;
}

/** Why the benchmark can't run here, or undefined. */
function obstacle() {
  if (process.platform !== 'linux')
    return `network namespaces exist on Linux only, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'not root, and network namespaces need root';
  return ensurePrerequisites('bench');
}
