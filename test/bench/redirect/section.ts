// The benchmark of ftpseal's main job: plain programs on the client's machine, FTPS towards the server.
import type { FtpContext } from '../ftp/ground.js';
import { idleMemoryOfTwice } from '../ftp/idle.js';
import { ftpMetrics, measureFtp, memoryRoundsOf } from '../ftp/measure.js';
import { startToReady } from '../ftp/start.js';
import { fullSizes, quickSizes } from '../ftp/sizes.js';
import type { Findings } from '../report/report.js';
import type { Sample } from '../results.js';
import { runRounds } from '../rounds.js';
import type { Section, SectionOptions } from '../section.js';
import { openField, redirectNames, type Field, type RedirectName } from './field.js';
import { foreignResult, measureForeign } from './foreign.js';
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
    for (const [name, reason] of Object.entries(leftOut)) options.say(`without ${name}: ${reason}`);
    options.say(`opening the lab with ${contenders.join(', ')}`);
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
  const { rounds, say } = options;
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
  const samples = await measureFtp(field.contenders, context, options, afterRound);
  const also = async (work: typeof startToReady, times: number): Promise<readonly Sample[]> =>
    options.wantsWork(work.metric.name)
      ? runRounds({ entrants: field.contenders, work: [work], context, rounds: times, say })
      : [];
  const twice = await also(idleMemoryOfTwice, memoryRoundsOf(rounds));
  const starts = await also(startToReady, rounds);
  return { samples: [...samples, ...twice, ...starts], foreign: foreignResult(withRules, without) };
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
