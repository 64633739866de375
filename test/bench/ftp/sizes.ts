// How much work the measurements over FTP do.

/** Amounts of work. */
export interface FtpSizes {
  /** The one big file, in bytes. */
  readonly bulkBytes: number;
  /** Files of `smallBytes` fetched over one session. */
  readonly smallFiles: number;
  readonly smallBytes: number;
  readonly logins: number;
  readonly listings: number;
  readonly noops: number;
  /** Clients at the same time, and the small files that each of them fetches. */
  readonly mirrors: number;
  readonly mirrorFiles: number;
  readonly idleSessions: number;
  /** How long a server may go on with what it does after a login before its memory is taken. */
  readonly settleMs: number;
  /** Connections to a port that is no FTP, in batches that alternate between the hosts. */
  readonly foreignConnections: number;
  readonly foreignBatches: number;
}

export const fullSizes: FtpSizes = {
  bulkBytes: 512 * 1024 * 1024,
  smallFiles: 300,
  smallBytes: 2000,
  logins: 200,
  listings: 50,
  noops: 2000,
  mirrors: 8,
  mirrorFiles: 100,
  idleSessions: 500,
  settleMs: 2000,
  foreignConnections: 1000,
  foreignBatches: 10,
};

/** Enough to see that everything works; the numbers say nothing. */
export const quickSizes: FtpSizes = {
  bulkBytes: 4 * 1024 * 1024,
  smallFiles: 10,
  smallBytes: 2000,
  logins: 3,
  listings: 2,
  noops: 20,
  mirrors: 2,
  mirrorFiles: 5,
  idleSessions: 5,
  settleMs: 200,
  foreignConnections: 20,
  foreignBatches: 2,
};

/** What a program does before it is measured. */
export function warmSizes(sizes: FtpSizes): FtpSizes {
  return { ...sizes, logins: Math.min(sizes.logins, 20), listings: 2, noops: Math.min(sizes.noops, 200) };
}
