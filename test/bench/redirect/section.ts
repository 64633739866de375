// The benchmark of ftpseal's main job: plain programs on the client's machine, FTPS towards the server.
import { idleMemory } from '../ftp/idle.js';
import type { Contender } from '../ftp/contender.js';
import type { FtpContext } from '../ftp/ground.js';
import { firstListing, logins, noop } from '../ftp/sessions.js';
import { fullSizes, quickSizes, warmSizes } from '../ftp/sizes.js';
import { download, mirrors, smallFiles, upload } from '../ftp/transfers.js';
import type { Findings } from '../report/report.js';
import type { Sample } from '../results.js';
import { runRounds, warmUp } from '../rounds.js';
import type { Section, SectionOptions } from '../section.js';
import type { Work } from '../work.js';
import { openField, redirectNames, type Field, type RedirectName } from './field.js';
import { foreignResult, measureForeign } from './foreign.js';
import { hasModProxy } from './mod-proxy.js';
import { redirectSheet } from './sheet.js';

/** In the order in which a round does it. */
const everyWork: readonly Work<Contender, FtpContext>[] = [
  download,
  upload,
  smallFiles,
  logins,
  firstListing,
  noop,
  mirrors,
];

/** Memory is taken from fresh starts, which would leave the next round with cold proxies; so it comes last, and less often. */
const memoryRounds = 3;

export const redirectSection: Section = {
  sheet: redirectSheet,
  work: [...everyWork, idleMemory].map((work) => work.metric.name).concat('foreign'),
  measure: async (options) => {
    const leftOut = missing(options);
    const contenders = redirectNames.filter(
      (name) => takesPart(name, options) && leftOut[name] === undefined,
    );
    for (const [name, reason] of Object.entries(leftOut)) options.say(`without ${name}: ${reason}`);
    options.say(`opening the lab with ${contenders.join(', ')}`);
    const sizes = options.quick ? quickSizes : fullSizes;
    const field = await openField(contenders, sizes, options.against);
    try {
      const measured = await run(field, { ground: field.ground, sizes, bulk: 'curl' }, options);
      const metrics = [...everyWork, idleMemory].map((work) => work.metric);
      return { sizes: { ...sizes }, contenders, leftOut, metrics, ...measured };
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
  const { rounds, say } = options;
  const entrants = field.contenders;
  const work = everyWork.filter(({ metric }) => options.wantsWork(metric.name));
  if (!options.quick)
    await warmUp({ entrants, work, context: { ...context, sizes: warmSizes(context.sizes) }, say });
  const withRules: number[] = [];
  const without: number[] = [];
  const afterRound = async (round: number): Promise<void> => {
    const batches = options.wantsWork('foreign') ? await foreignBatches(field, context) : undefined;
    if (batches === undefined) return;
    withRules.push(...batches.withRules);
    without.push(...batches.without);
    say(
      `round ${round}/${rounds} · connections to another port: ${batches.withRules.length} batches each way`,
    );
  };
  const samples: Sample[] = [...(await runRounds({ entrants, work, context, rounds, say, afterRound }))];
  if (options.wantsWork('idle-memory')) {
    const few = Math.min(memoryRounds, rounds);
    samples.push(...(await runRounds({ entrants, work: [idleMemory], context, rounds: few, say })));
  }
  return { samples, foreign: foreignResult(withRules, without) };
}

async function foreignBatches(
  field: Field,
  context: FtpContext,
): Promise<Awaited<ReturnType<typeof measureForeign>> | undefined> {
  const ftpseal = field.contenders.find((contender) => contender.name === 'ftpseal');
  if (ftpseal === undefined) return undefined;
  return measureForeign(context, {
    withRules: ftpseal.namespace,
    without: field.bareHost,
    server: field.serverHost,
    address: ftpseal.address,
  });
}
