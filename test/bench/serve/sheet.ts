// The page of the benchmark of the server proxy.
import { drawBars } from '../report/bars.js';
import type { Sheet } from '../report/sheet.js';

export const serveSheet: Sheet = {
  name: 'serve',
  title: '`ftpseal serve`',
  about: 'the server proxy beside vsftpd’s own TLS, stunnel and plain FTP',
  contenders: {
    ftpseal: 'FTPS client, `ftpseal serve`, plain vsftpd behind it on the loopback',
    vsftpd: 'FTPS client, vsftpd with its own TLS',
    stunnel:
      'a client made for it, stunnel around port 21 and around each of 32 passive ports, plain vsftpd behind it',
    plain: 'plain client, plain vsftpd: no TLS anywhere, the bound',
  },
  subject: 'ftpseal',
  references: ['vsftpd', 'stunnel', 'plain'],
  goals: [],
  programs: ['Node', 'OpenSSL', 'Python', 'vsftpd', 'stunnel'],
  cpuOf: 'the server’s side, proxy and FTP server together',
  conditions: ({ sizes }) => {
    const of = (name: string): number => sizes[name] ?? 0;
    return [
      `TLS 1.3 with RSA 2048 everywhere; session reuse is required where the server can (ftpseal, vsftpd). Files in memory. One file of ${of('bulkBytes') / 2 ** 20} MiB;`,
      `${of('smallFiles')} files of ${of('smallBytes')} bytes over one session; ${of('logins')} logins; ${of('mirrors')} clients with ${of('mirrorFiles')} files each; ${of('idleSessions')} idle sessions.`,
    ];
  },
  tables: () => [],
  pictures: drawBars,
  notes: `- One client for all: Python's ftplib, timed from the transfer command to the last reply of a transfer. It shares the cores
  with the server, so its own TLS is in every number but those of \`plain\`.
- stunnel wraps ports, and an FTP server that it wraps knows nothing of it: PBSZ and PROT are refused. What is measured here wraps control and
  data connections in TLS without asking, and begins TLS on a data connection before the transfer command, because stunnel connects to the
  server only then, and the server's 150 waits for that. Usual FTPS clients do neither. Each data connection at a time needs a passive
  port of its own in stunnel's configuration. Nothing ties such a data connection to its control connection, and no TLS session
  is resumed.
- CPU and memory are those of proxy and FTP server together: vsftpd's own TLS is in its own processes.
- PSS shares a page's size among the processes that map it; RSS counts it once for each.
- Absolute numbers depend on the machine; compare the ratios.`,
};
