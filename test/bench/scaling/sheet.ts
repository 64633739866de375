// The page of the figures of scaling.
import type { Sheet } from '../report/sheet.js';
import { drawScaling, keyTable, sessionTable } from './curves.js';
import { mostRounds } from './sizes.js';

const subject = 'ftpseal-2';

export const scalingSheet: Sheet = {
  name: 'scaling',
  title: 'scaling',
  about: 'ftpseal with more streams, workers, idle sessions and known keys',
  contenders: {
    'ftpseal-1': 'plain client, ftpseal with one worker in between, FTPS server',
    'ftpseal-2': 'the same with two workers, as many as this machine has cores',
    'ftpseal-4': 'the same with four workers',
    mod_proxy: 'plain client, ProFTPD mod_proxy in between, a process a session',
    native: 'FTPS client (ftplib), FTPS server, nothing in between',
  },
  subject,
  references: ['mod_proxy', 'native', 'ftpseal-1', 'ftpseal-4'],
  goals: [],
  programs: ['Node', 'OpenSSL', 'Python', 'vsftpd', 'ProFTPD', 'mod_proxy'],
  cpuOf: 'the proxy, all its processes',
  conditions: ({ sizes }) => {
    const of = (name: string): number => sizes[name] ?? 0;
    return [
      `All streams together move ${of('streamBytes') / 2 ** 20} MiB, each its share, at the same time; the clock runs from when all have logged in until the last is done.`,
      `Known keys: a daemon that starts with them, ${of('logins')} logins one after the other at a server whose key is the last of them.`,
      `Streams and keys in ${mostRounds} rounds at most, idle sessions once.`,
    ];
  },
  tables: (report) => [sessionTable(report, subject), keyTable(report, subject)],
  pictures: drawScaling,
  notes: `- Client, proxy and server share the cores, so more workers than cores can't bring more, and the client and the server of eight streams take
  what the proxy does not get. What a GiB costs is the better figure.
- The pictures' axes are logarithmic.
- mod_proxy's uploads go over TLS 1.2, as on the page of the redirect.
- **No store holds 100,000 keys.** \`keys.json\`, the daemon's own file, holds 20,000, of which 2000 may be one user's; the folder \`keys.d\` of the
  administrator holds another 20,000, the records that a server was secure included. A \`keys.json\` with more is refused as damaged, and of a
  \`keys.d\` with more the files beyond are left out and named in status and doctor. So 40,000 keys are the most that a machine can know, and the
  curves end at 20,000 for each.
- \`keys.json\` also holds for each server that it was secure once, as every session leaves it, and is written anew within two seconds after a
  login: once for these logins, and the CPU time of that is in the figure. \`keys.d\` is only read.
- All keys here count for everybody. Keys of other users are passed over sooner.
- Absolute numbers depend on the machine; compare the ratios.`,
};
