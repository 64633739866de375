// Fetches the pinned packages, once: an archive that was checked is kept in .lab/packages, unpacked, and found there again.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { repository, say } from '../dev/prerequisites.mjs';
import { pins } from './pins.mjs';

const packagesFolder = path.join(repository, '.lab', 'packages');

/** The folder that holds the package's files. Throws if it can't be had, or if it is not the pinned archive. */
export function pinnedPackage(name) {
  const pin = pins[name];
  if (pin === undefined) throw new Error(`${name} has no pin in installers/common/pins.mjs`);
  // A changed pin is another folder.
  const mark = createHash('sha256').update(pin.integrity).digest('hex').slice(0, 12);
  const target = path.join(packagesFolder, `${name}-${pin.version}-${mark}`);
  if (existsSync(target)) return path.join(target, 'package');
  say(`fetching ${name} ${pin.version} (npm pack)`);
  mkdirSync(packagesFolder, { recursive: true });
  const fresh = mkdtempSync(path.join(packagesFolder, 'fresh-'));
  try {
    const archive = fetched(name, pin, fresh);
    execFileSync('tar', ['-xzf', archive, '-C', fresh, '--no-same-owner']);
    rmSync(archive);
    if (!existsSync(target)) renameSync(fresh, target);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return path.join(target, 'package');
}

function fetched(name, { version, integrity }, folder) {
  const result = spawnSync(
    'npm',
    ['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--loglevel=error'],
    {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  if (result.status !== 0) throw new Error(`npm pack ${name}@${version} failed`);
  const archive = path.join(folder, `${name}-${version}.tgz`);
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (found !== integrity)
    throw new Error(`${name}@${version} is not the archive that is pinned: it has ${found}`);
  return archive;
}
