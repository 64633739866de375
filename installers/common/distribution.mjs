// What making packages has in common on every system: the command line, the checkout brought up to date, the staging tree with one
// time for every file, and what was made with its size and hash.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePrerequisites, repository, say } from '../dev/prerequisites.mjs';
import { ensureBuilt, ensureNodeModules } from '../dev/project.mjs';
import { bytesIn, listFiles, megabytes, normalize, packageInfo, sha256Of, sourceTime } from './tree.mjs';

const commonOptions = {
  out: { type: 'string', default: path.join(repository, '.lab', 'dist') },
  version: { type: 'string', default: packageInfo().version },
  fast: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/**
 * Runs `npm run <name>`; what goes wrong is a line on the standard error and exit code 1. `prerequisites` names what
 * prerequisites.mjs has to find; `options` are those of parseArgs besides --out, --version, --fast and --help, held
 * against `check` (which throws) before anything is done. `stage(root, { version, time })` fills the tree, and
 * `pack(root, out, { version, time, fast, …options })` makes files of it and gives
 * their paths, each as soon as it is there.
 */
export async function runDistribution({ name, usage, prerequisites, options = {}, check, stage, pack }) {
  try {
    const { values } = parseArgs({ options: { ...commonOptions, ...options } });
    if (values.help) {
      console.log(usage);
      return;
    }
    check?.(values);
    ensureNodeModules();
    ensureBuilt();
    const missing = ensurePrerequisites(prerequisites);
    if (missing !== undefined) throw new Error(missing);
    await build(values, stage, pack);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}

async function build(values, stage, pack) {
  const { version } = values;
  const out = path.resolve(values.out);
  const time = sourceTime();
  const root = mkdtempSync(path.join(tmpdir(), 'ftpseal-dist-'));
  try {
    say(`staging ftpseal ${version}, all files of ${new Date(time * 1000).toISOString()}`);
    await stage(root, { version, time });
    normalize(root, time);
    say(`${listFiles(root).length} files, ${megabytes(bytesIn(root))}`);
    mkdirSync(out, { recursive: true });
    for (const file of pack(root, out, { ...values, time }))
      console.log(`${file}\n  ${megabytes(statSync(file).size)}  sha256 ${sha256Of(file)}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
