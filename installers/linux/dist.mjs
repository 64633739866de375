// `npm run dist:linux`: the .deb and the .rpm, from a checkout. Downloads what is pinned and not cached, runs no compiler but tsc.
import { runDistribution } from '../common/distribution.mjs';
import { say } from '../dev/prerequisites.mjs';
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

await runDistribution({
  name: 'dist:linux',
  usage,
  prerequisites: 'dist',
  options: { format: { type: 'string' } },
  check: ({ format }) => {
    if (format !== undefined && !Object.hasOwn(makers, format))
      throw new Error(`--format is deb or rpm, not ${format}`);
  },
  stage: stageLinux,
  *pack(root, out, { version, time, fast, format }) {
    for (const one of format === undefined ? ['deb', 'rpm'] : [format]) {
      say(`packing the .${one}`);
      yield makers[one](root, out, { version, time, compression: fast ? 'fast' : 'small' });
    }
  },
});
