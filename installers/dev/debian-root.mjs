// A clean Debian 12 in a folder, for tests of the packages: made once by debootstrap, kept in .lab/debian-12, never written to again.
//   node installers/dev/debian-root.mjs      makes it if it is missing, and prints its path
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository } from './prerequisites.mjs';

/** Of what every installed Debian 12 has and debootstrap's smallest variant has not: the packages that matter here. */
const included = ['systemd', 'systemd-sysv', 'nftables', 'man-db'];

/** The folder. Needs root and, the first time, the network; throws if debootstrap fails. */
export function ensureDebianRoot() {
  const root = path.join(repository, '.lab', 'debian-12');
  if (existsSync(root)) return root;
  const fresh = `${root}.new-${process.pid}`;
  console.error('· making a clean Debian 12 in .lab/debian-12 (debootstrap)');
  mkdirSync(path.dirname(root), { recursive: true });
  try {
    const options = ['--variant=minbase', `--include=${included.join(',')}`, 'bookworm', fresh];
    execFileSync('debootstrap', options, { stdio: ['ignore', 'ignore', 'inherit'] });
    rmSync(path.join(fresh, 'var/cache/apt'), { recursive: true });
    mkdirSync(path.join(fresh, 'var/cache/apt/archives/partial'), { recursive: true });
    renameSync(fresh, root);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return root;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(ensureDebianRoot());
