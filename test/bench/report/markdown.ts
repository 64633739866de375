// The report as a page of the documentation.
import { titles } from '../contenders/contender.js';
import { tablesOf, type Table } from './tables.js';
import type { Report } from './report.js';

function draw(table: Table): string {
  const [head = [], ...lines] = table.lines;
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = row(head.map((_, column) => (column === 0 ? ':--' : '--:')));
  return [`## ${table.title}`, '', row(head), rule, ...lines.map(row)].join('\n');
}

function conditions(report: Report): string {
  const { machine, sizes } = report;
  return [
    `${machine.date}, commit ${machine.commit}. ${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel},`,
    `Node ${machine.node} (OpenSSL ${machine.openssl}), curl ${machine.curl}, Python ${machine.python}, vsftpd ${machine.vsftpd}, ProFTPD ${machine.proftpd} with mod_proxy ${machine.modProxy}.`,
    `Rounds: ${report.rounds}, the contenders taking turns. Client, proxy and server share the cores; the servers keep their files in memory.`,
    `Load average before the run: ${machine.load.join(', ')}.`,
    `Server: vsftpd, TLS 1.3, session reuse required (\`plain\`: without TLS). One file of ${sizes.bulkBytes / 2 ** 20} MiB;`,
    `${sizes.smallFiles} files of ${sizes.smallBytes} bytes over one session; ${sizes.logins} logins; ${sizes.mirrors} clients with ${sizes.mirrorFiles} files each;`,
    `${sizes.idleSessions} idle sessions, from a fresh start; ${sizes.foreignConnections} connections to another port from each host and round.`,
  ].join('\n');
}

function contenders(report: Report): string {
  const lines = report.contenders.map((name) => `- **${name}**: ${titles[name]}`);
  const missing = Object.entries(report.leftOut).map(
    ([name, reason]) => `- ${name} did not take part: ${reason}`,
  );
  return [...lines, ...missing].join('\n');
}

const notes = `## How to read it

- The big files are moved by curl and timed from the transfer command to the last reply. Everything else is done by Python's
  ftplib, the same script for everyone: curl 7.88 now and then sleeps a second between EPSV and its data connection, and as an
  FTPS client 200 ms in every transfer.
- mod_proxy's uploads go over TLS 1.2. With TLS 1.3 it closes the data connection while the server's tickets are unread, the
  kernel answers with a reset, and vsftpd loses the last megabytes of a large file and says 426, every time.
- mod_proxy is set up to be fast: no log, no look-ups, no delay at login, its TLS session cache on.
- CPU is user and system time of all processes of the proxy, ended ones included.
- PSS shares a page's size among the processes that map it; RSS counts it once for each.
- Absolute numbers depend on the machine; compare the ratios.`;

/** The page; the plot lies beside it. */
export function formatMarkdown(report: Report): string {
  const parts = [
    '# Benchmark',
    'Made by `npm run bench`; not edited by hand.',
    conditions(report),
    contenders(report),
    '![ftpseal beside the others, mod_proxy is 1](latest.svg)',
    ...tablesOf(report).map(draw),
    notes,
  ];
  return `${parts.join('\n\n')}\n`;
}
