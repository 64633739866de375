// tnftp, the ftp of NetBSD and macOS: EPSV and EPRT first on both families unless told otherwise.
import { performTyped } from './bsd-ftp.js';
import { isActive, isExtended, type LabClient } from './client.js';

export const tnftp: LabClient = {
  name: 'tnftp',
  cannot: {},
  obstacle: (mode, family) =>
    family === 6 && !isExtended(mode) ? 'PASV and PORT carry IPv4 addresses only' : undefined,
  perform: (task) =>
    performTyped(
      tnftp,
      task,
      ['tnftp', '-n', '-v', '-i', '-e', isActive(task.mode) ? '-A' : '-p', task.address],
      task.family === 4 && !isExtended(task.mode) ? ['epsv4 off'] : [],
    ),
};
