// The benchmark of scaling: what more streams, more workers, more sessions and more known keys cost.
import type { Sample } from '../results.js';
import { hasModProxy } from '../redirect/mod-proxy.js';
import { runRounds, warmUp } from '../rounds.js';
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
    options.say(`opening the lab with ${contenders.join(', ')}`);
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
  const { quick, say } = options;
  const samples: Sample[] = [];
  const rounds = Math.min(mostRounds, options.rounds);
  const { contenders: entrants } = field;
  if (options.wantsWork('streams')) {
    const work = streamsWork(context.sizes);
    if (!quick) await warmUp({ entrants, work: work.slice(-1), context, say });
    samples.push(...(await runRounds({ entrants, work, context, rounds, say })));
  }
  if (options.wantsWork('keys')) {
    const course = { entrants: [field.keys], work: keysWork(context.sizes), context, rounds, say };
    samples.push(...(await runRounds(course)));
  }
  // Last: thousands of processes come and go.
  const own = entrants.find(({ name }) => name === subject);
  if (options.wantsWork('sessions') && own !== undefined)
    samples.push(...(await measureSessions(own, context, say)));
  return samples;
}
