// `npm run dist:windows`: the setup program for Windows, made on Linux from a checkout. Downloads what is pinned and not cached.
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
import { buildSetup } from './nsis.mjs';
import { signCommand } from './sign.mjs';
import { stageWindows } from './stage.mjs';

const usage = `npm run dist:windows -- [options]

Builds ftpseal-<version>-setup.exe for Windows 10 and later, 64 bits (Intel, AMD).

  --out <folder>       where it goes (default: .lab/dist)
  --version <version>  another version than package.json's, for tests
  --fast               not packed, for tests
  --help               this text

SOURCE_DATE_EPOCH sets the time of all files (default: of the last commit). The same checkout, time and version give the same bytes.
FTPSEAL_SIGN is a command that signs the file whose name it is given, in place; without it nothing is signed (docs/windows.md).`;

try {
  await main();
} catch (error) {
  console.error(`dist:windows: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const options = readArguments();
  if (options === undefined) return;
  ensureNodeModules();
  ensureBuilt();
  const missing = ensurePrerequisites('dist-windows');
  if (missing !== undefined) throw new Error(missing);
  await build(options);
}

/** Undefined if the text was all that was wanted. */
function readArguments() {
  const { values } = parseArgs({
    options: {
      out: { type: 'string', default: path.join(repository, '.lab', 'dist') },
      version: { type: 'string', default: packageInfo().version },
      fast: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (!values.help) return values;
  console.log(usage);
  return undefined;
}

async function build({ out, version, fast }) {
  const time = sourceTime();
  const root = mkdtempSync(path.join(tmpdir(), 'ftpseal-dist-'));
  try {
    say(`staging ftpseal ${version}, all files of ${new Date(time * 1000).toISOString()}`);
    await stageWindows(root, { version, time });
    normalize(root, time);
    say(`${listFiles(root).length} files, ${megabytes(bytesIn(root))}`);
    mkdirSync(out, { recursive: true });
    say(fast ? 'putting together' : 'packing (a minute)');
    const compression = fast ? 'fast' : 'small';
    const file = buildSetup(root, path.resolve(out), { version, time, compression });
    if (signCommand() === undefined) say('not signed: FTPSEAL_SIGN is not set');
    console.log(`${file}\n  ${megabytes(statSync(file).size)}  sha256 ${sha256Of(file)}`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
