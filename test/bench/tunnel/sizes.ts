// How much work the measurements of tunnels do.

/** Amounts of work. */
export interface TunnelSizes {
  /** Through one connection, each way. */
  readonly bulkBytes: number;
  readonly roundTrips: number;
  readonly connections: number;
  readonly idleConnections: number;
}

export const fullSizes: TunnelSizes = {
  bulkBytes: 512 * 1024 * 1024,
  roundTrips: 2000,
  connections: 30,
  idleConnections: 10,
};

/** Enough to see that everything works; the numbers say nothing. */
export const quickSizes: TunnelSizes = {
  bulkBytes: 4 * 1024 * 1024,
  roundTrips: 20,
  connections: 2,
  idleConnections: 2,
};
