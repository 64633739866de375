// The measurements over FTP, which those in front of a program and those in front of a server have in common: what is done, in
// which order, and memory last.
import type { Sample } from '../results.js';
import { planRounds, warmUp } from '../rounds.js';
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

/** A relay that knows no FTP carries big files, and does nothing else. */
const bulk: readonly Work<Contender, FtpContext>[] = [download, upload];

function takenBy(work: Work<Contender, FtpContext>): Work<Contender, FtpContext> {
  return {
    ...work,
    obstacle: (contender) =>
      contender.protection === 'relayed' && !bulk.includes(work)
        ? 'it relays bytes and knows no FTP'
        : work.obstacle(contender),
  };
}

/** Memory is taken from fresh starts, which would leave the next round with cold proxies; so it comes last, and less often. */
export function memoryRoundsOf(rounds: number): number {
  return Math.min(3, rounds);
}

export const ftpMetrics = [...everyWork, idleMemory].map((work) => work.metric);

/** Does what `options` wants of it, after a warm-up unless it is to be quick. `afterRound` as in rounds.ts. */
export async function measureFtp(
  entrants: readonly Contender[],
  context: FtpContext,
  { wantsWork, quick, rounds, progress }: SectionOptions,
  afterRound: (round: number) => Promise<void> = () => Promise.resolve(),
): Promise<readonly Sample[]> {
  const work = everyWork.filter(({ metric }) => wantsWork(metric.name)).map(takenBy);
  const memory = wantsWork(idleMemory.metric.name) ? [takenBy(idleMemory)] : [];
  const measure = planRounds({ entrants, work, context, rounds, progress, afterRound });
  const measureMemory = planRounds({
    ...{ entrants, work: memory, context, progress },
    rounds: memoryRoundsOf(rounds),
  });
  const warm = { ...context, sizes: warmSizes(context.sizes) };
  if (!quick) await warmUp({ entrants, work, context: warm, progress });
  return [...(await measure()), ...(await measureMemory())];
}
