// The npm packages that the program needs at run time on one platform, and their copy without what nobody runs.
import { cpSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../dev/prerequisites.mjs';
import { unbundled } from './bundle.mjs';
import { productionModules } from './program-tree.mjs';

/**
 * Of the lock file: what is no development package and fits `target` (`os`, `cpu`, `libc` as npm calls them), by location.
 * Each with location, name, version, integrity and licence.
 */
export function runtimePackages(target) {
  const lock = JSON.parse(readFileSync(path.join(repository, 'package-lock.json'), 'utf8'));
  return Object.entries(lock.packages)
    .filter(([location, entry]) => location !== '' && entry.dev !== true && fits(entry, target))
    .map(([location, entry]) => ({
      location,
      name: location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      integrity: entry.integrity,
      licence: licenceOf(entry.license),
    }))
    .sort((a, b) => (a.location < b.location ? -1 : 1));
}

/** Copies these packages below `folder`, without what nobody runs. The network is needed once a lock file and platform. */
export function stageModules(packages, folder, target) {
  const source = path.dirname(productionModules(target));
  for (const entry of packages) {
    const into = path.join(folder, entry.location);
    cpSync(path.join(source, entry.location), into, { recursive: true });
    prune(into, entry, target);
  }
}

/** Takes away what is in the bundle: all but the packages that must be apart, and what those need themselves. */
export function removeBundled(packages, folder) {
  const { packages: entries } = JSON.parse(readFileSync(path.join(repository, 'package-lock.json'), 'utf8'));
  const apart = new Set();
  const keep = (location) => {
    if (apart.has(location)) return;
    apart.add(location);
    const { dependencies, optionalDependencies } = entries[location];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const nested = `${location}/node_modules/${name}`;
      keep(nested in entries ? nested : `node_modules/${name}`);
    }
  };
  for (const name of unbundled) keep(`node_modules/${name}`);
  for (const { location } of packages) {
    if (apart.has(location)) continue;
    rmSync(path.join(folder, location), { recursive: true, force: true });
    const scope = path.join(folder, path.dirname(location));
    if (readdirSync(scope).length === 0) rmSync(scope, { recursive: true });
  }
}

/** The text of a package's licence, with all its notices; undefined if it brings none. */
export function licenceText(folder) {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const texts = names.sort().map((name) => readFileSync(path.join(folder, name), 'utf8').trim());
  return texts.length === 0 ? undefined : texts.join('\n\n');
}

function fits(entry, target) {
  return ['os', 'cpu', 'libc'].every(
    (key) => entry[key] === undefined || target[key] === undefined || entry[key].includes(target[key]),
  );
}

// Old packages say it in other words than SPDX's.
function licenceOf(licence) {
  const words = Array.isArray(licence) ? licence : [licence ?? 'NOASSERTION'];
  const names = { Apache2: 'Apache-2.0', 'MIT/X11': 'MIT' };
  return words.map((word) => names[word] ?? word).join(' OR ');
}

const unwantedFolders = new Set([
  'test',
  'tests',
  'doc',
  'docs',
  'example',
  'examples',
  'benchmark',
  'benchmarks',
  '.github',
]);
const unwantedFiles =
  /\.(ts|[cm]ts|cc|hh|h|inc|def|S|asm|map|markdown|yml|flow|tsbuildinfo)$|^(readme|changelog|history|security|contributing)(\.(md|txt))?$|^\./i;

/** Things of one package that are for building it, or for other platforms. */
const unwantedOf = {
  koffi: ['lib', 'vendor', 'cnoke.cjs'],
  '@koromix/koffi-linux-x64': ['musl_x64'],
  'node-forge': ['dist', 'flash'],
};

function prune(folder, { name }, target) {
  for (const unwanted of unwantedOf[name] ?? [])
    rmSync(path.join(folder, unwanted), { recursive: true, force: true });
  if (name === 'systray2') pruneTrayHelpers(path.join(folder, 'traybin'), target);
  sweep(folder, true);
}

function pruneTrayHelpers(folder, { os }) {
  const word = { win32: 'windows', darwin: 'darwin', linux: 'linux' }[os];
  for (const file of readdirSync(folder))
    if (!file.startsWith(`tray_${word}`)) rmSync(path.join(folder, file));
}

function sweep(folder, isTop) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (isTop && unwantedFolders.has(entry.name.toLowerCase())) rmSync(file, { recursive: true });
      else sweep(file, false);
    } else if (unwantedFiles.test(entry.name)) rmSync(file);
  }
}
