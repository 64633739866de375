// The measurements over FTP, which those in front of a program and those in front of a server have in common: what is done, in
// which order, and memory last.
import type { Sample } from '../results.js';
import { runRounds, warmUp } from '../rounds.js';
import type { SectionOptions } from '../section.js';
import type { Work } from '../work.js';
import type { Contender } from './contender.js';
import type { FtpContext } from './ground.js';
import { idleMemory } from './idle.js';
import { firstListing, greeting, logins, noop } from './sessions.js';
import { warmSizes } from './sizes.js';
import { download, mirrors, smallFiles, upload } from './transfers.js';

/** In the order in which a round does it. */
const everyWork: readonly Work<Contender, FtpContext>[] = [
  download,
  upload,
  smallFiles,
  logins,
  greeting,
  firstListing,
  noop,
  mirrors,
];

/** Memory is taken from fresh starts, which would leave the next round with cold proxies; so it comes last, and less often. */
const memoryRounds = 3;

export const ftpMetrics = [...everyWork, idleMemory].map((work) => work.metric);

/** Does what `options` wants of it, after a warm-up unless it is to be quick. `afterRound` as in rounds.ts. */
export async function measureFtp(
  entrants: readonly Contender[],
  context: FtpContext,
  { wantsWork, quick, rounds, say }: SectionOptions,
  afterRound: (round: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Sample[]> {
  const work = everyWork.filter(({ metric }) => wantsWork(metric.name));
  if (!quick) await warmUp({ entrants, work, context: { ...context, sizes: warmSizes(context.sizes) }, say });
  const samples = await runRounds({ entrants, work, context, rounds, say, afterRound });
  if (!wantsWork('idle-memory')) return samples;
  const few = Math.min(memoryRounds, rounds);
  return [...samples, ...(await runRounds({ entrants, work: [idleMemory], context, rounds: few, say }))];
}
