// `npm run soak`: installs what is missing, builds, and runs the soak of test/soak. `npm run soak -- --help` lists the
// options; they go to it unchanged.
import { spawn } from 'node:child_process';
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
  process.exitCode = await run(path.join(repository, 'dist/test/soak/main.js'));
} catch (error) {
  console.error(`npm run soak: ${error.message}`);
  process.exitCode = 1;
}

/** Ctrl-C reaches both processes; this one waits for the other's summary. */
function run(main) {
  const child = spawn(process.execPath, [main, ...passedOn], { cwd: repository, stdio: 'inherit' });
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** Why the soak can't run here, or undefined. */
function obstacle() {
  if (process.platform !== 'linux')
    return `network namespaces exist on Linux only, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'not root, and network namespaces need root';
  return ensurePrerequisites('lab');
}
