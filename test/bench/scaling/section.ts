// The benchmark of scaling: what more streams, more workers, more sessions and more known keys cost.
import { timed } from '../progress.js';
import type { Sample } from '../results.js';
import { hasModProxy } from '../redirect/mod-proxy.js';
import { planRounds, warmUp } from '../rounds.js';
import type { Section, SectionOptions } from '../section.js';
import { openField, scalingNames, subject, type Field } from './field.js';
import { keysWork } from './keys.js';
import { measureSessions } from './sessions.js';
import { scalingSheet } from './sheet.js';
import { fullSizes, mostRounds, quickSizes } from './sizes.js';
import { streamsWork, type ScalingContext } from './streams.js';

export const scalingSection: Section = {
  sheet: scalingSheet,
  work: ['streams', 'sessions', 'keys'],
  measure: async (options) => {
    const without = options.wantsContender('mod_proxy') && !hasModProxy() ? ['mod_proxy'] : [];
    const leftOut = Object.fromEntries(without.map((name) => [name, 'its packages are not unpacked']));
    const contenders = scalingNames.filter((name) => options.wantsContender(name) && !without.includes(name));
    const sizes = options.quick ? quickSizes : fullSizes;
    options.progress.say(`opening the lab with ${contenders.join(', ')}`);
    const field = await openField(contenders, sizes);
    try {
      const samples = await run(field, { ground: field.ground, sizes }, options);
      const { streamBytes, logins } = sizes;
      const metrics = streamsWork(sizes).map(({ metric }) => metric);
      return { sizes: { streamBytes, logins }, contenders, leftOut, metrics, samples };
    } finally {
      await field.close();
    }
  },
};

async function run(
  field: Field,
  context: ScalingContext,
  options: SectionOptions,
): Promise<readonly Sample[]> {
  const { quick, progress } = options;
  const rounds = Math.min(mostRounds, options.rounds);
  const { contenders: entrants } = field;
  const samples: Sample[] = [];
  const streams = options.wantsWork('streams') ? streamsWork(context.sizes) : [];
  const keys = options.wantsWork('keys') ? keysWork(context.sizes) : [];
  const own = entrants.find(({ name }) => name === subject);
  const measureOwn =
    options.wantsWork('sessions') && own !== undefined
      ? () => measureSessions(own, context, progress)
      : undefined;
  if (measureOwn !== undefined) progress.expect(['sessions']);
  const measureStreams = planRounds({ entrants, work: streams, context, rounds, progress });
  const measureKeys = planRounds({ entrants: [field.keys], work: keys, context, rounds, progress });
  if (!quick) await warmUp({ entrants, work: streams.slice(-1), context, progress });
  samples.push(...(await measureStreams()), ...(await measureKeys()));
  // Last: thousands of processes come and go.
  if (measureOwn !== undefined) samples.push(...(await timed(progress, 'sessions', measureOwn)));
  return samples;
}
