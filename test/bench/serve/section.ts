// The benchmark of the server proxy: FTPS clients in front of a server that is plain, has TLS itself, or is wrapped by stunnel.
import type { Contender } from '../ftp/contender.js';
import type { FtpContext } from '../ftp/ground.js';
import { idleMemory } from '../ftp/idle.js';
import { firstListing, logins, noop } from '../ftp/sessions.js';
import { fullSizes, quickSizes, warmSizes } from '../ftp/sizes.js';
import { download, mirrors, smallFiles, upload } from '../ftp/transfers.js';
import type { Sample } from '../results.js';
import { runRounds, warmUp } from '../rounds.js';
import type { Section, SectionOptions } from '../section.js';
import type { Work } from '../work.js';
import { openField, serveNames } from './field.js';
import { serveSheet } from './sheet.js';

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

const metrics = [...everyWork, idleMemory].map((work) => work.metric);

/** From fresh starts, so it comes last, and less often. */
const memoryRounds = 3;

/** Four servers with two big files each share the memory. */
const serveSizes = { ...fullSizes, bulkBytes: fullSizes.bulkBytes / 2 };

export const serveSection: Section = {
  sheet: serveSheet,
  work: metrics.map((metric) => metric.name),
  measure: async (options) => {
    const contenders = serveNames.filter((name) => options.wantsContender(name));
    options.say(`opening the lab with ${contenders.join(', ')}`);
    const sizes = options.quick ? quickSizes : serveSizes;
    const field = await openField(contenders, sizes);
    try {
      const context: FtpContext = { ground: field.ground, sizes, bulk: 'ftplib' };
      const samples = await run(field.contenders, context, options);
      return { sizes: { ...sizes }, contenders, leftOut: {}, metrics, samples };
    } finally {
      await field.close();
    }
  },
};

async function run(
  entrants: readonly Contender[],
  context: FtpContext,
  { wantsWork, quick, rounds, say }: SectionOptions,
): Promise<readonly Sample[]> {
  const work = everyWork.filter(({ metric }) => wantsWork(metric.name));
  if (!quick) await warmUp({ entrants, work, context: { ...context, sizes: warmSizes(context.sizes) }, say });
  const samples = await runRounds({ entrants, work, context, rounds, say });
  if (!wantsWork('idle-memory')) return samples;
  const few = Math.min(memoryRounds, rounds);
  return [...samples, ...(await runRounds({ entrants, work: [idleMemory], context, rounds: few, say }))];
}
