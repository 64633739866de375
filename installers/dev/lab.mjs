// `npm run lab`: opens the lab for hand work, with every server and a daemon, and a shell on the client's host.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensurePrerequisites, repository } from './prerequisites.mjs';
import { ensureBuilt, ensureNodeModules } from './project.mjs';

try {
  if (process.getuid?.() !== 0) throw new Error('not root, and network namespaces need root');
  ensureNodeModules();
  ensureBuilt();
  const reason = ensurePrerequisites('lab');
  if (reason !== undefined) throw new Error(reason);
  const program = path.join(repository, 'dist/test/lab/hand.js');
  process.exitCode = spawnSync(process.execPath, [program], { stdio: 'inherit' }).status ?? 1;
} catch (error) {
  console.error(`npm run lab: ${error.message}`);
  process.exitCode = 1;
}
