// Brings a checkout to the point where it can run: its npm packages and the compiled program, each only when stale.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository, say } from './prerequisites.mjs';

const sourceFolders = ['daemon', 'tray', 'shared', 'test'];
/** The manager's pages: compiled apart, for browsers, and served together with the files beside them. */
const pageFolder = 'tray/manager/page';
const pageFiles = ['.css', '.svg'];

/** Installs the npm packages of the lock file unless exactly those are there. Throws when npm fails. */
export function ensureNodeModules() {
  if (nodeModulesMatchLock()) return;
  say('installing npm packages (npm ci --ignore-scripts)');
  runOrThrow('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Compiles unless dist/ is newer than every source. Throws when the compiler finds an error. */
export function ensureBuilt() {
  removeOrphans();
  if (!isStale()) return;
  say('compiling (tsc)');
  compile();
}

/** Compiles in any case, so that an error shows even when nothing changed. */
export function compile() {
  for (const config of ['tsconfig.json', `${pageFolder}/tsconfig.json`]) {
    const tsc = path.join(repository, 'node_modules/typescript/bin/tsc');
    runOrThrow(process.execPath, [tsc, '-p', path.join(repository, config)]);
  }
  copyPageFiles();
}

function copyPageFiles() {
  const target = path.join(repository, 'dist', pageFolder);
  mkdirSync(target, { recursive: true });
  for (const file of pageFiles.flatMap((extension) => filesIn(path.join(repository, pageFolder), extension)))
    copyFileSync(file, path.join(target, path.basename(file)));
}

/** npm keeps what it installed in node_modules/.package-lock.json; platform packages of other machines are absent there. */
function nodeModulesMatchLock() {
  const installedFile = path.join(repository, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return false;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(path.join(repository, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([location, entry]) => {
    if (location === '') return true;
    const found = installed[location];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

function isStale() {
  const stamp = path.join(repository, 'dist/.tsbuildinfo');
  if (!existsSync(stamp)) return true;
  const built = newestOf(path.join(repository, 'dist'), '.js');
  const inputs = ['tsconfig.json', 'package.json'].map(
    (name) => statSync(path.join(repository, name)).mtimeMs,
  );
  const sources = sourceFolders.map((folder) => newestOf(path.join(repository, folder), '.ts'));
  if (Math.max(...inputs, ...sources) > Math.max(built, statSync(stamp).mtimeMs)) return true;
  return pageFiles.some((extension) => {
    const copied = newestOf(path.join(repository, 'dist', pageFolder), extension);
    return newestOf(path.join(repository, pageFolder), extension) > copied;
  });
}

function newestOf(folder, extension) {
  return filesIn(folder, extension).reduce((newest, file) => Math.max(newest, statSync(file).mtimeMs), 0);
}

/** A compiled file whose source is gone would still be tested or run. */
function removeOrphans() {
  const dist = path.join(repository, 'dist');
  for (const file of filesIn(dist, '.js')) {
    const source = path.join(repository, path.relative(dist, file).replace(/\.js$/, '.ts'));
    if (existsSync(source)) continue;
    rmSync(file);
    rmSync(`${file}.map`, { force: true });
  }
}

/** Every file below `folder` with that extension; none if the folder is not there. */
export function filesIn(folder, extension) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

function runOrThrow(command, args) {
  const result = spawnSync(command, args, { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0)
    throw new Error(`${path.basename(args[0] ?? command)} failed (exit code ${result.status})`);
}

// `npm run build`
if (process.argv[1] === fileURLToPath(import.meta.url)) compile();
