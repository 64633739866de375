// The servers of the matrix and those that only plain runs need.
import type { ServerKind } from '../harness/server.js';
import { proftpd12, proftpd13, proftpdNoReuse, proftpdPlain } from './proftpd.js';
import { pureFtpdPlain, pureFtpdTls } from './pure-ftpd.js';
import { pyftpdlibPlain } from './pyftpdlib.js';
import { vsftpdPlain, vsftpdTls } from './vsftpd.js';

/** What the matrix runs through ftpseal. */
export const matrixServers: readonly ServerKind[] = [
  vsftpdTls,
  proftpd13,
  proftpd12,
  proftpdNoReuse,
  pureFtpdTls,
  vsftpdPlain,
];

/** The same products without TLS: here the plain clients must work with no ftpseal in between. */
export const plainServers: readonly ServerKind[] = [vsftpdPlain, proftpdPlain, pureFtpdPlain, pyftpdlibPlain];

export const everyServer: readonly ServerKind[] = [...new Set([...matrixServers, ...plainServers])];
