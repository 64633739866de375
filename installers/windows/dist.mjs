// `npm run dist:windows`: the setup program for Windows, made on Linux from a checkout. Downloads what is pinned and not cached.
import { runDistribution } from '../common/distribution.mjs';
import { say } from '../dev/prerequisites.mjs';
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

await runDistribution({
  name: 'dist:windows',
  usage,
  prerequisites: 'dist-windows',
  stage: stageWindows,
  pack: (root, out, { version, time, fast }) => {
    say(fast ? 'putting together' : 'packing (a minute)');
    const file = buildSetup(root, out, { version, time, compression: fast ? 'fast' : 'small' });
    if (signCommand() === undefined) say('not signed: FTPSEAL_SIGN is not set');
    return [file];
  },
});
