// A copy of the program that another user can read. The proxy runs as a user of its own, and a checkout is often
// in a home folder that nobody else may enter; so is, at times, node itself.
//   node installers/dev/stage.mjs <folder> [--with-tests] [--unbundled]
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from '../common/bundle.mjs';
import { repository } from './prerequisites.mjs';

/** Whether any user may read the file and enter every folder on the way to it. */
export function isWorldReadable(file) {
  const needed = statSync(file).isDirectory() ? 0o005 : 0o004;
  if ((statSync(file).mode & needed) !== needed) return false;
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === path.dirname(folder)) return true;
  }
}

/** The path of a node binary that every user can run: the one that runs now, or a copy in `folder`. */
export function stageNode(folder) {
  if (isWorldReadable(process.execPath)) return process.execPath;
  const copy = path.join(folder, 'node');
  cpSync(process.execPath, copy);
  return copy;
}

/**
 * Copies dist/ and the packages it needs at run time to `folder`, replacing what is there. With tests, the lab's
 * own programs and the client libraries among the development packages go along. What runs is bundled as it is installed (bundle.mjs),
 * unless `isBundled` is false: then each module has its own file.
 */
export async function stageProgram(folder, { withTests, isBundled = true }) {
  const fresh = `${folder}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o755 });
  const copyIn = (relative) => {
    const source = path.join(repository, relative);
    if (existsSync(source)) cpSync(source, path.join(fresh, relative), { recursive: true });
  };
  copyIn('package.json');
  for (const part of ['daemon', 'shared', 'tray', ...(withTests ? ['test'] : [])])
    copyIn(path.join('dist', part));
  if (withTests) for (const name of ['client', 'modes']) copyIn(`test/lab/clients/ftplib_${name}.py`);
  for (const location of runtimePackages(withTests ? ['basic-ftp'] : [])) copyIn(location);
  if (isBundled) await bundleProgram(fresh);
  makeReadable(fresh);
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

function runtimePackages(alsoDevelopment) {
  const lock = JSON.parse(readFileSync(path.join(repository, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([location]) => location !== '')
    .filter(([location, entry]) => entry.dev !== true || alsoDevelopment.includes(path.basename(location)))
    .map(([location]) => location);
}

/** A umask of 077 would make the copy as unreadable as the original. */
function makeReadable(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isSymbolicLink()) continue;
    chmodSync(file, (statSync(file).mode & 0o777) | (entry.isDirectory() ? 0o755 : 0o644));
  }
  chmodSync(folder, 0o755);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...flags] = process.argv.slice(2);
  if (folder === undefined || flags.some((flag) => !['--with-tests', '--unbundled'].includes(flag))) {
    console.error('usage: stage.mjs <folder> [--with-tests] [--unbundled]');
    process.exit(2);
  }
  await stageProgram(path.resolve(folder), {
    withTests: flags.includes('--with-tests'),
    isBundled: !flags.includes('--unbundled'),
  });
  console.log(stageNode(path.resolve(folder)));
}
