// The program as it is installed: compiled files and the packages it needs at run time, for any operating system, made on this one.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { repository, say } from '../dev/prerequisites.mjs';
import { bundleProgram } from './bundle.mjs';

const modulesFolder = path.join(repository, '.lab', 'modules');
const compiledParts = ['daemon', 'shared', 'tray'];

/**
 * The folder of a node_modules for `os` and `cpu` (npm's words: `win32`, `x64`), exactly as the lock file says, without what only
 * developers need. Kept in .lab/modules, one for each lock file, so that the network is needed once.
 */
export function productionModules({ os, cpu }) {
  const lock = readFileSync(path.join(repository, 'package-lock.json'));
  const mark = createHash('sha256').update(lock).digest('hex').slice(0, 12);
  const target = path.join(modulesFolder, `${os}-${cpu}-${mark}`);
  if (existsSync(target)) return path.join(target, 'node_modules');
  say(`installing npm packages for ${os} ${cpu} (npm ci --ignore-scripts)`);
  mkdirSync(modulesFolder, { recursive: true });
  const fresh = mkdtempSync(path.join(modulesFolder, 'fresh-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      copyFileSync(path.join(repository, file), path.join(fresh, file));
    npmCi(fresh, [`--os=${os}`, `--cpu=${cpu}`]);
    if (!existsSync(target)) renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return path.join(target, 'node_modules');
}

function npmCi(folder, options) {
  const fixed = ['--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync('npm', ['ci', ...fixed, ...options], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (result.status !== 0) throw new Error(`npm ci ${options.join(' ')} failed`);
}

/**
 * Puts package.json, dist/ and node_modules/ for `target` (`{ os, cpu }`) into `folder`, replacing what is there. The
 * compiled program must be up to date, and is bundled as it is installed; its single files are there as well, because tests import them.
 * `parts`: folders of dist/ to take.
 */
export async function stageProgramTree(folder, target, parts = compiledParts) {
  const fresh = `${folder}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(path.join(fresh, 'dist'), { recursive: true });
  copyFileSync(path.join(repository, 'package.json'), path.join(fresh, 'package.json'));
  for (const part of parts)
    cpSync(path.join(repository, 'dist', part), path.join(fresh, 'dist', part), { recursive: true });
  await bundleProgram(fresh);
  cpSync(productionModules(target), path.join(fresh, 'node_modules'), { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

export { compiledParts };
