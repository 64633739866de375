// The Linux packages as the tests need them: built from this checkout, packed quickly.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { run } from '../harness/command.js';
import { repository } from '../harness/server.js';

/** All files of the packages are of this second. */
const sourceTime = 1_790_000_000;

export interface BuildOptions {
  readonly version?: string;
  readonly format?: 'deb' | 'rpm';
  /** Words before the build, such as another umask. */
  readonly wrap?: readonly string[];
}

/** Builds into `folder`; returns what the build printed. */
export async function buildPackages(folder: string, options: BuildOptions = {}): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const script = path.join(repository, 'installers/linux/dist.mjs');
  const argv = [
    ...(options.wrap ?? []),
    ...[process.execPath, script, '--fast', '--out', folder],
    ...(options.version === undefined ? [] : ['--version', options.version]),
    ...(options.format === undefined ? [] : ['--format', options.format]),
  ];
  const place = { env: { SOURCE_DATE_EPOCH: String(sourceTime) } };
  const finished = await run(place, argv, { timeoutMs: 600_000 });
  if (finished.code !== 0) throw new Error(`the build failed: ${finished.stdout}${finished.stderr}`);
  return finished.stdout;
}

export function debName(version: string): string {
  return `ftpseal_${version}_amd64.deb`;
}

/** The two versions between which tests upgrade; the same program under two numbers. */
export const versions = ['0.1.0', '0.2.0'] as const;

/** The folder with the .deb of both versions: built once for all test files, and again when anything that goes in has changed. */
export async function bothVersions(): Promise<string> {
  const kept = path.join(repository, '.lab', 'dist-test');
  const mark = inputs();
  const folder = path.join(kept, mark);
  if (existsSync(folder)) return folder;
  mkdirSync(kept, { recursive: true });
  for (const name of readdirSync(kept))
    if (!name.startsWith(mark)) rmSync(path.join(kept, name), { recursive: true, force: true });
  const fresh = `${folder}.new-${process.pid}`;
  for (const version of versions) await buildPackages(fresh, { version, format: 'deb' });
  // Another test file may have been faster; its packages are as good.
  if (existsSync(folder)) rmSync(fresh, { recursive: true, force: true });
  else renameSync(fresh, folder);
  return folder;
}

function inputs(): string {
  const hash = createHash('sha256');
  for (const name of [
    'dist/daemon',
    'dist/shared',
    'dist/tray',
    'installers',
    'tray/manager/page',
    'docs/operations.md',
  ])
    for (const file of filesBelow(path.join(repository, name))) hash.update(file).update(readFileSync(file));
  for (const name of ['package.json', 'package-lock.json', 'CHANGELOG.md', 'LICENSE'])
    hash.update(readFileSync(path.join(repository, name)));
  return hash.digest('hex').slice(0, 16);
}

function filesBelow(file: string): readonly string[] {
  if (!statSync(file).isDirectory()) return [file];
  return readdirSync(file)
    .sort()
    .flatMap((name) => filesBelow(path.join(file, name)));
}
