// Packages of the npm registry as files: fetched once by `npm pack`, kept in .lab/packages under their hash, and never used
// without the hash being right.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { repository, say } from '../dev/prerequisites.mjs';

const cache = path.join(repository, '.lab', 'packages');

/** What the release is made with besides package-lock.json: versions and hashes. */
export function pins() {
  return JSON.parse(readFileSync(path.join(import.meta.dirname, 'pins.json'), 'utf8'));
}

/**
 * The path of the package's archive. `integrity` is npm's, `sha512-…`. Throws if the registry can't be reached and
 * the cache lacks it, or if what came has another hash.
 */
export function fetchPackage({ name, version, integrity }) {
  const file = path.join(cache, `${integrity.replace(/[^A-Za-z0-9]/g, '').slice(0, 40)}.tgz`);
  if (existsSync(file) && integrityOf(file) === integrity) return file;
  say(`fetching ${name} ${version}`);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'fetch-'));
  try {
    const archive = path.join(folder, pack(`${name}@${version}`, folder));
    const found = integrityOf(archive);
    if (found !== integrity)
      throw new Error(
        `${name} ${version} is not the package that was pinned: ${found}, expected ${integrity}`,
      );
    renameSync(archive, file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return file;
}

/** Unpacks an archive of npm into `folder`, without its leading folder; `only` names files below that one. */
export function unpackPackage(archive, folder, only = []) {
  mkdirSync(folder, { recursive: true });
  const options = ['--extract', '--gzip', '--file', archive, '--directory', folder, '--strip-components=1'];
  execFileSync('tar', [...options, '--no-same-owner', ...only.map((name) => `package/${name}`)]);
}

function pack(spec, folder) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = ['pack', spec, '--ignore-scripts', '--silent', '--pack-destination', folder];
  const result = spawnSync(npm, options, { cwd: folder, encoding: 'utf8' });
  const [name] = readdirSync(folder);
  if (result.status !== 0 || name === undefined)
    throw new Error(`npm pack ${spec} failed: ${(result.stderr ?? '').trim() || 'no reason given'}`);
  return name;
}

function integrityOf(file) {
  return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
}
