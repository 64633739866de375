// The benchmark of ftpseal's main job: plain programs on the client's machine, FTPS towards the server.
import type { FtpContext } from '../ftp/ground.js';
import { idleMemoryOfTwice } from '../ftp/idle.js';
import { ftpMetrics, measureFtp, memoryRoundsOf } from '../ftp/measure.js';
import { startToReady } from '../ftp/start.js';
import { fullSizes, quickSizes } from '../ftp/sizes.js';
import { timed } from '../progress.js';
import type { Findings } from '../report/report.js';
import { planRounds } from '../rounds.js';
import type { Section, SectionOptions } from '../section.js';
import { openField, redirectNames, type Field, type RedirectName } from './field.js';
import { measureForeign } from './foreign.js';
import { foreignResult, situationNames, type ForeignBatches } from './foreign-result.js';
import { hasModProxy } from './mod-proxy.js';
import { redirectSheet } from './sheet.js';

const metrics = [...ftpMetrics, idleMemoryOfTwice.metric, startToReady.metric];

export const redirectSection: Section = {
  sheet: redirectSheet,
  work: metrics.map((metric) => metric.name).concat('foreign'),
  measure: async (options) => {
    const leftOut = missing(options);
    const { against } = options;
    const names = redirectNames.filter((name) => takesPart(name, options) && leftOut[name] === undefined);
    const contenders = names.map((name) => (name === 'other' ? (against?.name ?? name) : name));
    const others = against === undefined ? undefined : { [against.name]: against.about };
    for (const [name, reason] of Object.entries(leftOut)) options.progress.say(`without ${name}: ${reason}`);
    options.progress.say(`opening the lab with ${contenders.join(', ')}`);
    const sizes = options.quick ? quickSizes : fullSizes;
    const field = await openField(names, sizes, against);
    try {
      const measured = await run(field, { ground: field.ground, sizes, bulk: 'curl' }, options);
      return { sizes: { ...sizes }, contenders, leftOut, others, metrics, ...measured };
    } finally {
      await field.close();
    }
  },
};

function takesPart(name: RedirectName, options: SectionOptions): boolean {
  return name === 'other' ? options.against !== undefined : options.wantsContender(name);
}

function missing({ wantsContender }: SectionOptions): Partial<Record<RedirectName, string>> {
  return wantsContender('mod_proxy') && !hasModProxy()
    ? { mod_proxy: 'its packages are not unpacked (node installers/dev/prerequisites.mjs bench)' }
    : {};
}

async function run(
  field: Field,
  context: FtpContext,
  options: SectionOptions,
): Promise<Pick<Findings, 'samples' | 'foreign'>> {
  const { rounds, progress } = options;
  const { contenders: entrants } = field;
  const foreign: ForeignBatches[] = [];
  const measureOthers = options.wantsWork('foreign') ? foreignRound(field, context) : undefined;
  if (measureOthers !== undefined) progress.expect(Array.from({ length: rounds }, () => 'foreign'));
  const afterRound = async (round: number): Promise<void> => {
    if (measureOthers === undefined) return;
    const batches = await timed(progress, 'foreign', measureOthers);
    foreign.push(batches);
    const each = `${batches.without.length} batches in each of ${situationNames.length} situations`;
    progress.say(`round ${round}/${rounds} · connections to another port: ${each}`);
  };
  const later = [
    { work: idleMemoryOfTwice, rounds: memoryRoundsOf(rounds) },
    { work: startToReady, rounds },
  ]
    .filter(({ work }) => options.wantsWork(work.metric.name))
    .map(({ work, rounds: times }) =>
      planRounds({ entrants, work: [work], context, rounds: times, progress }),
    );
  const samples = [...(await measureFtp(entrants, context, options, afterRound))];
  for (const measure of later) samples.push(...(await measure()));
  return { samples, foreign: foreignResult(foreign) };
}

/** One round of it; undefined without ftpseal. */
function foreignRound(field: Field, context: FtpContext): (() => Promise<ForeignBatches>) | undefined {
  const ftpseal = field.contenders.find((contender) => contender.name === 'ftpseal');
  if (ftpseal === undefined) return undefined;
  const { bareHost: bare, serverHost: server } = field;
  return () => measureForeign(context, { ours: ftpseal.namespace, bare, server, address: ftpseal.address });
}
