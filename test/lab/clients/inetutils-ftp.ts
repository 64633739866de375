// The ftp of GNU inetutils: PASV and PORT on IPv4 unless `epsv4` is switched on.
import { performTyped } from './bsd-ftp.js';
import { isActive, isExtended, type LabClient } from './client.js';

export const inetutilsFtp: LabClient = {
  name: 'inetutils-ftp',
  cannot: { mlsd: 'inetutils-ftp has no MLSD command' },
  obstacle: (mode, family) =>
    family === 6 && !isExtended(mode) ? 'PASV and PORT carry IPv4 addresses only' : undefined,
  perform: (task) =>
    performTyped(
      inetutilsFtp,
      task,
      ['inetutils-ftp', '-n', '-v', '-i', '-e', isActive(task.mode) ? '-A' : '-p', task.address],
      task.family === 4 && isExtended(task.mode) ? ['epsv4'] : [],
    ),
};
