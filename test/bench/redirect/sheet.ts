// The page of the benchmark of the redirect.
import { drawBars } from '../report/bars.js';
import { formatInterval, formatNumber } from '../report/numbers.js';
import type { Report } from '../report/report.js';
import type { GoalLine, Sheet } from '../report/sheet.js';
import type { Table } from '../report/tables.js';
import type { Goal } from '../results.js';
import { median } from '../statistics.js';
import {
  aboutSituation,
  compare,
  situationNames,
  type Comparison,
  type ForeignResult,
} from './foreign-result.js';

/** What the project wants; what it wants of other traffic is in `furtherGoals`. */
const goals: readonly Goal[] = [
  { text: 'bulk download', metric: 'download', of: 'value', bound: { kind: 'at least', ratio: 1.3 } },
  {
    text: 'bulk download',
    metric: 'download',
    of: 'value',
    bound: { kind: 'at least', ratio: 1, to: 'native' },
  },
  {
    text: 'bulk download',
    metric: 'download',
    of: 'value',
    bound: { kind: 'at least', ratio: 0.9, to: 'stunnel' },
  },
  { text: 'bulk upload', metric: 'upload', of: 'value', bound: { kind: 'at least', ratio: 1.3 } },
  { text: 'bulk upload', metric: 'upload', of: 'value', bound: { kind: 'at least', ratio: 1, to: 'native' } },
  {
    text: 'bulk upload',
    metric: 'upload',
    of: 'value',
    bound: { kind: 'at least', ratio: 0.9, to: 'stunnel' },
  },
  { text: 'CPU per GiB, download', metric: 'download', of: 'cpu', bound: { kind: 'at most', ratio: 0.7 } },
  {
    text: 'CPU per GiB, download',
    metric: 'download',
    of: 'cpu',
    bound: { kind: 'at most', ratio: 1.2, to: 'stunnel' },
  },
  { text: 'CPU per GiB, upload', metric: 'upload', of: 'cpu', bound: { kind: 'at most', ratio: 0.7 } },
  {
    text: 'CPU per GiB, upload',
    metric: 'upload',
    of: 'cpu',
    bound: { kind: 'at most', ratio: 1.2, to: 'stunnel' },
  },
  { text: 'small files', metric: 'small-files', of: 'value', bound: { kind: 'at least', ratio: 1.2 } },
  {
    text: 'small files',
    metric: 'small-files',
    of: 'value',
    bound: { kind: 'at least', ratio: 0.5, to: 'plain' },
  },
  { text: 'first listing', metric: 'first-listing', of: 'value', bound: { kind: 'at most', ratio: 0.8 } },
  {
    text: 'connect to 220',
    metric: 'greeting',
    of: 'value',
    bound: { kind: 'at most', beyond: 1, to: 'plain' },
    unit: 'ms',
  },
  {
    text: 'NOOP',
    metric: 'noop',
    of: 'value',
    bound: { kind: 'at most', beyond: 150, to: 'plain' },
    unit: 'µs',
  },
  { text: 'parallel mirrors', metric: 'mirrors', of: 'value', bound: { kind: 'at least', ratio: 1.2 } },
  {
    text: 'an idle session',
    metric: 'idle-memory',
    of: 'value',
    bound: { kind: 'at most', amount: 60 },
    unit: 'KiB',
  },
  {
    text: 'an idle session of twice as many',
    metric: 'idle-memory-twice',
    of: 'value',
    bound: { kind: 'at most', amount: 60 },
    unit: 'KiB',
  },
  {
    text: 'memory without sessions',
    metric: 'idle-memory',
    of: { raw: 'pssBefore', each: 2 ** 20 },
    bound: { kind: 'at most', amount: 120 },
    unit: 'MiB',
  },
  {
    text: 'start to ready',
    metric: 'start',
    of: 'value',
    bound: { kind: 'at most', amount: 400 },
    unit: 'ms',
  },
];

const head = ['rules', 'µs', 'µs more', '95 % interval', 'ratio', '95 % interval'];

function foreignTable({ foreign }: Report): Table {
  const title = 'A connection to a port that is no FTP: connect, one byte, end';
  if (foreign === undefined) return { title, lines: [] };
  const { without, withRules, batches } = foreign;
  const line = (about: string, values: readonly number[], base: readonly number[]): readonly string[] => {
    const compared = compare(values, base);
    const cells = compared === undefined ? ['–', '–', '–', '–'] : comparisonCells(compared);
    return [about, values.length === 0 ? '–' : formatNumber(median(values)), ...cells];
  };
  if (batches === undefined)
    return {
      title,
      lines: [head, line(aboutSituation('withRules'), withRules, without)],
    };
  const others = situationNames.map((name) =>
    line(aboutSituation(name), batches[name], name === 'without' ? [] : without),
  );
  const added = line('ours, where that firewall is already', batches.firewallAndOurs, batches.firewall);
  return { title, lines: [head, ...others, added] };
}

function comparisonCells({ ratio, interval, more, moreInterval }: Comparison): readonly string[] {
  return [
    formatNumber(more),
    formatInterval(moreInterval),
    ratio.toFixed(3),
    `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
  ];
}

/** The rules must not be told from their absence. */
function foreignGoal({ foreign }: Report): readonly GoalLine[] {
  if (foreign === undefined) return [];
  const { low, high } = foreign.interval;
  return [
    {
      goal: 'other traffic, with rules ÷ without, µs a connection',
      wanted: '95 % interval includes 1',
      figure: `${formatNumber(median(foreign.withRules))} µs`,
      outcome: `${foreign.ratio.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`,
      met: low <= 1 && high >= 1,
      because: kernelShare(foreign),
    },
  ];
}

/** How much of it the kernel takes as soon as there is any redirect at all; undefined if that was not measured. */
function kernelShare({ batches }: ForeignResult): string | undefined {
  if (batches === undefined) return undefined;
  const ours = compare(batches.withRules, batches.without);
  const any = compare(batches.redirect, batches.without);
  if (ours === undefined || any === undefined) return undefined;
  if (any.moreInterval.low <= 0) return 'this run is too short to tell how much of it is the kernel’s';
  const [all, kernel] = [formatNumber(ours.more), formatNumber(any.more)];
  return `of ${all} µs more, ${kernel} come with anybody’s first redirect rule: the kernel’s connection tracking`;
}

export const redirectSheet: Sheet = {
  name: 'redirect',
  title: 'the redirect',
  about: 'ftpseal on the client’s machine, beside ProFTPD mod_proxy, stunnel, an FTPS client and plain FTP',
  contenders: {
    ftpseal: 'plain client, ftpseal transparent in between, FTPS server',
    mod_proxy: 'plain client, ProFTPD mod_proxy (forward, ProxyTLSEngine on) in between, FTPS server',
    stunnel:
      'plain client, stunnel as a raw TLS relay of the same bytes in between, FTPS server; big files only',
    native: 'FTPS client (curl and ftplib), FTPS server',
    plain: 'plain client, plain server: no TLS anywhere, the bound',
  },
  subject: 'ftpseal',
  references: ['mod_proxy', 'stunnel', 'native', 'plain'],
  goals,
  furtherGoals: foreignGoal,
  programs: ['Node', 'OpenSSL', 'curl', 'Python', 'vsftpd', 'ProFTPD', 'mod_proxy', 'stunnel'],
  cpuOf: 'the proxy, all its processes',
  conditions: ({ sizes, foreign }) => {
    const of = (name: string): number => sizes[name] ?? 0;
    return [
      `Server: vsftpd, TLS 1.3, session reuse required (\`plain\`: without TLS), its files in memory. One file of ${of('bulkBytes') / 2 ** 20} MiB;`,
      `${of('smallFiles')} files of ${of('smallBytes')} bytes over one session; ${of('logins')} logins; ${of('mirrors')} clients with ${of('mirrorFiles')} files each;`,
      `${of('idleSessions')} idle sessions, from a fresh start; ${of('foreignConnections')} connections to another port ${foreign?.batches === undefined ? 'from each host and round' : 'in each round, with each set of rules'}.`,
    ];
  },
  tables: (report) => [foreignTable(report)],
  pictures: drawBars,
  notes: `- The big files are moved by curl and timed from the transfer command to the last reply. Everything else is done by Python's
  ftplib, the same script for everyone: curl 7.88 now and then sleeps a second between EPSV and its data connection, and as an
  FTPS client 200 ms in every transfer.
- mod_proxy's uploads go over TLS 1.2. With TLS 1.3 it closes the data connection while the server's tickets are unread, the
  kernel answers with a reset, and vsftpd loses the last megabytes of a large file and says 426, every time.
- stunnel knows no FTP: its vsftpd speaks TLS from the first byte on and has one data port, each of stunnel's two services wraps
  one of the two connections, and curl itself says PBSZ and PROT P. So the bytes, the client and what encrypts at the other end are the same.
- mod_proxy is set up to be fast: no log, no look-ups, no delay at login, its TLS session cache on.
- CPU is user and system time of all processes of the proxy, ended ones included.
- PSS shares a page's size among the processes that map it; RSS counts it once for each.
- Other traffic: whoever redirects with the kernel's means has its connection tracking and address translation at work for every connection of the
  host, from the first rule on. Where it was measured, the line of one \`redirect\` rule shows what that costs; only what is beyond it is ftpseal's to save.
- Absolute numbers depend on the machine; compare the ratios.`,
};
