// The page of the benchmark of the simple tunnel.
import { drawBars } from '../report/bars.js';
import type { Sheet } from '../report/sheet.js';

export const tunnelSheet: Sheet = {
  name: 'tunnel',
  title: '`ftpseal tunnel`',
  about: 'the simple tunnel beside stunnel, socat and plain TCP',
  contenders: {
    ftpseal:
      '`ftpseal tunnel -p` as the client’s program, `ftpseal tunnel -i` behind an inetd: two processes a connection',
    stunnel: 'a stunnel at each end that runs all the time: a thread a connection',
    socat:
      '`socat - OPENSSL` as the client’s program, `socat OPENSSL-LISTEN,fork`: two processes a connection',
    plain: 'TCP without TLS, the bound',
  },
  subject: 'ftpseal',
  references: ['stunnel', 'socat', 'plain'],
  goals: [],
  programs: ['Node', 'OpenSSL', 'stunnel', 'socat', 'Python'],
  cpuOf: 'both ends of the tunnel',
  conditions: ({ sizes }) => {
    const of = (name: string): number => sizes[name] ?? 0;
    return [
      `TLS 1.3 with RSA 2048, the same tunnel at both ends, two hosts of the lab. One connection with ${of('bulkBytes') / 2 ** 20} MiB each way; ${of('roundTrips')} lines and answers;`,
      `${of('connections')} new connections one after the other; ${of('idleConnections')} idle ones.`,
    ];
  },
  tables: () => [],
  pictures: drawBars,
  notes: `- Bulk and answers are measured on a connection that is already open, their CPU seconds too. A new connection is counted from the start of the client's program
  (stunnel: from the connection to its port) to the first answer, so with ftpseal it holds the start of two Node.js processes.
- socat is given a block size of 64 KiB; its own of 8 KiB is half a TLS record.
- stunnel's memory of a connection is that of a thread; what it needs at all is under “PSS before”.
- PSS shares a page's size among the processes that map it; RSS counts it once for each.
- Absolute numbers depend on the machine; compare the ratios.`,
};
