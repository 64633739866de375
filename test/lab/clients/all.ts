// The clients of the matrix.
import { basicFtp } from './basic-ftp.js';
import type { Family, LabClient, Mode } from './client.js';
import { curl } from './curl.js';
import { inetutilsFtp } from './inetutils-ftp.js';
import { lftp } from './lftp.js';
import { pythonFtplib } from './python-ftplib.js';
import { tnftp } from './tnftp.js';

export const everyClient: readonly LabClient[] = [tnftp, inetutilsFtp, lftp, curl, pythonFtplib, basicFtp];

/** The ways to reach a server; each is a column of the matrix. */
export const everyWay: readonly { readonly mode: Mode; readonly family: Family }[] = [
  { mode: 'passive', family: 4 },
  { mode: 'extended passive', family: 4 },
  { mode: 'active', family: 4 },
  { mode: 'extended active', family: 4 },
  { mode: 'extended passive', family: 6 },
  { mode: 'extended active', family: 6 },
];
