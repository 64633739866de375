// `npm run dist:linux`: the .deb and the .rpm, from a checkout. Downloads what is pinned and not cached, runs no compiler but tsc.
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  bytesIn,
  listFiles,
  megabytes,
  normalize,
  packageInfo,
  sha256Of,
  sourceTime,
} from '../common/tree.mjs';
import { ensurePrerequisites, repository, say } from '../dev/prerequisites.mjs';
import { ensureBuilt, ensureNodeModules } from '../dev/project.mjs';
import { buildDeb } from './deb.mjs';
import { buildRpm } from './rpm.mjs';
import { stageLinux } from './stage.mjs';

const usage = `usage: npm run dist:linux -- [options]

Builds ftpseal_<version>_amd64.deb and ftpseal-<version>-1.x86_64.rpm.

  --out <folder>       where they go (default: .lab/dist)
  --format <name>      deb or rpm alone
  --version <version>  another version than package.json's, for tests
  --fast               packed quickly and large, for tests
  --help               this text

SOURCE_DATE_EPOCH sets the time of all files (default: of the last commit). The same checkout, time and version give the same bytes.`;

const makers = { deb: buildDeb, rpm: buildRpm };

try {
  await main();
} catch (error) {
  console.error(`dist:linux: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const options = readArguments();
  if (options === undefined) return;
  ensureNodeModules();
  ensureBuilt();
  const missing = ensurePrerequisites('dist');
  if (missing !== undefined) throw new Error(missing);
  await build(options);
}

/** Undefined if the text was all that was wanted. */
function readArguments() {
  const text = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) });
  const { values } = parseArgs({
    options: {
      out: text(path.join(repository, '.lab', 'dist')),
      format: text(),
      version: text(packageInfo().version),
      fast: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return undefined;
  }
  if (values.format !== undefined && !Object.hasOwn(makers, values.format))
    throw new Error(`--format is deb or rpm, not ${values.format}`);
  return { ...values, formats: values.format === undefined ? ['deb', 'rpm'] : [values.format] };
}

async function build({ out, version, fast, formats }) {
  const time = sourceTime();
  const root = mkdtempSync(path.join(tmpdir(), 'ftpseal-dist-'));
  try {
    say(`staging ftpseal ${version}, all files of ${new Date(time * 1000).toISOString()}`);
    await stageLinux(root, { version, time });
    normalize(root, time);
    say(`${listFiles(root).length} files, ${megabytes(bytesIn(root))}`);
    mkdirSync(out, { recursive: true });
    for (const format of formats) {
      say(`packing the .${format}`);
      const file = makers[format](root, path.resolve(out), {
        version,
        time,
        compression: fast ? 'fast' : 'small',
      });
      console.log(`${file}\n  ${megabytes(statSync(file).size)}  sha256 ${sha256Of(file)}`);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
