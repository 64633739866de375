// How much work each measurement does.

/** Amounts of work. */
export interface Sizes {
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
  /** Connections to a port that is no FTP, in batches that alternate between the hosts. */
  readonly foreignConnections: number;
  readonly foreignBatches: number;
}

export const fullSizes: Sizes = {
  bulkBytes: 512 * 1024 * 1024,
  smallFiles: 300,
  smallBytes: 2000,
  logins: 200,
  listings: 50,
  noops: 2000,
  mirrors: 8,
  mirrorFiles: 100,
  idleSessions: 500,
  foreignConnections: 1000,
  foreignBatches: 10,
};

/** Enough to see that everything works; the numbers say nothing. */
export const quickSizes: Sizes = {
  bulkBytes: 4 * 1024 * 1024,
  smallFiles: 10,
  smallBytes: 2000,
  logins: 3,
  listings: 2,
  noops: 20,
  mirrors: 2,
  mirrorFiles: 5,
  idleSessions: 5,
  foreignConnections: 20,
  foreignBatches: 2,
};
