// The benchmark of the server proxy: FTPS clients in front of a server that is plain, has TLS itself, or is wrapped by stunnel.
import type { FtpContext } from '../ftp/ground.js';
import { ftpMetrics as metrics, measureFtp } from '../ftp/measure.js';
import { fullSizes, quickSizes } from '../ftp/sizes.js';
import type { Section } from '../section.js';
import { openField, serveNames } from './field.js';
import { serveSheet } from './sheet.js';

/** Four servers with two big files each share the memory. */
const serveSizes = { ...fullSizes, bulkBytes: fullSizes.bulkBytes / 2 };

export const serveSection: Section = {
  sheet: serveSheet,
  work: metrics.map((metric) => metric.name),
  measure: async (options) => {
    const contenders = serveNames.filter((name) => options.wantsContender(name));
    options.progress.say(`opening the lab with ${contenders.join(', ')}`);
    const sizes = options.quick ? quickSizes : serveSizes;
    const field = await openField(contenders, sizes);
    try {
      const context: FtpContext = { ground: field.ground, sizes, bulk: 'ftplib' };
      const samples = await measureFtp(field.contenders, context, options);
      return { sizes: { ...sizes }, contenders, leftOut: {}, metrics, samples };
    } finally {
      await field.close();
    }
  },
};
