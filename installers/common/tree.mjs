// A folder that becomes a package: the same bytes, modes and times whoever builds it, and how big it is.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { repository } from '../dev/prerequisites.mjs';
import { bundleProgram } from './bundle.mjs';

/** The time that all files get, in seconds since 1970: SOURCE_DATE_EPOCH, else the time of the last commit. */
export function sourceTime() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^[0-9]+$/.test(given)) return Number(given);
  try {
    const options = { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], options).trim());
  } catch {
    throw new Error('this is no git checkout: set SOURCE_DATE_EPOCH to the time that the files shall have');
  }
}

/** The program as bundle.mjs makes it, the manager's page, and package.json cut down to what the program reads, with `version`. */
export async function stageCompiled(folder, version = packageInfo().version) {
  await bundleProgram(folder);
  const page = 'dist/tray/manager/page';
  const filter = (source) => !source.endsWith('.map');
  cpSync(path.join(repository, page), path.join(folder, page), { recursive: true, filter });
  const { name, license, type } = packageInfo();
  put(
    folder,
    'package.json',
    `${JSON.stringify({ name, version, license, type, private: true }, undefined, 2)}\n`,
  );
}

export function packageInfo() {
  return JSON.parse(readFileSync(path.join(repository, 'package.json'), 'utf8'));
}

/** Writes a file below `root`, with the folders on the way. */
export function put(root, relative, content, mode = 0o644) {
  const file = path.join(root, relative);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

/** Modes 755 and 644 (755 where a file is executable), and one time for all. */
export function normalize(root, time) {
  const visit = (file) => {
    const stat = lstatSync(file);
    if (stat.isDirectory()) for (const name of readdirSync(file)) visit(path.join(file, name));
    if (!stat.isSymbolicLink())
      chmodSync(file, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644);
    lutimesSync(file, time, time);
  };
  visit(root);
}

/** Every file and link below `root`, relative, sorted by bytes. */
export function listFiles(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

export function bytesIn(root) {
  return listFiles(root).reduce((sum, file) => sum + lstatSync(path.join(root, file)).size, 0);
}

export function sha256Of(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** `12.3 MB`. */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
