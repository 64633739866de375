// The page of the benchmark of X-SafeTP1.
import { drawBars } from '../report/bars.js';
import type { Picture } from '../report/picture.js';
import type { Report } from '../report/report.js';
import type { Sheet } from '../report/sheet.js';
import { drawCurves, pointTable } from './curves.js';

/** Logins and round trips as bars; the rest are curves. */
function pictures(report: Report, sheet: Sheet): readonly Picture[] {
  const single = report.metrics.filter(({ name }) => name === 'logins' || name === 'noop');
  const bars = drawBars({ ...report, metrics: single }, { ...sheet, name: 'safetp-login' });
  return [...bars, ...drawCurves(report)];
}

export const safetpSheet: Sheet = {
  name: 'safetp',
  title: 'X-SafeTP1',
  about: 'X-SafeTP1 beside TLS: login, bulk, block sizes from 4 to 128 KiB',
  contenders: {
    'X-SafeTP1':
      'ElGamal of 2048 bits, PROT P: Triple-DES and HMAC-SHA1; PBSZ 32 KiB where nothing else is said',
    'PROT S': 'X-SafeTP1 with PROT S: data in clear with HMAC-SHA1',
    TLS: 'AUTH TLS, TLS 1.3, RSA 2048, PROT P',
    plain: 'no protection at all, through the same server proxy: the bound',
  },
  subject: 'X-SafeTP1',
  references: ['TLS', 'plain'],
  goals: [],
  programs: ['Node', 'OpenSSL', 'vsftpd'],
  cpuOf: 'the server’s side, `ftpseal serve` and vsftpd together',
  conditions: ({ sizes }) => {
    const of = (name: string): number => sizes[name] ?? 0;
    return [
      `One client for all, in Node.js, with the library that ftpseal's own client side uses; one server, \`ftpseal serve\` in front of a plain vsftpd, files in memory.`,
      `${of('logins')} logins; ${of('noops')} round trips; one file of ${of('bulkBytes') / 2 ** 20} MiB each way and for each block size.`,
    ];
  },
  tables: (report) => [pointTable(report)],
  pictures,
  notes: `- What the SafeTP report (CSD-01-1152) asks in its figures 6 to 9 is asked here anew: the time to log in, bulk transfers, and the buffer size
  that PBSZ agrees on. Its numbers are those of the machines of 2001 and of other programs, and are not repeated here.
- The pictures' axes are logarithmic. TLS and plain FTP know no PBSZ: level lines.
- Triple-DES is what costs. A larger block saves only what each block costs besides: its header, its initialisation vector, its HMAC's start and
  its way through the program.
- PROT S leaves the data readable.
- Absolute numbers depend on the machine; compare the ratios.`,
};
