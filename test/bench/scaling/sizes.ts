// How much work the measurements of scaling do, and the points of their curves.

export interface ScalingSizes {
  /** What all streams of a point move together. */
  readonly streamBytes: number;
  readonly streams: readonly number[];
  /** Idle sessions, ascending. */
  readonly sessions: readonly number[];
  /** Known keys, ascending. */
  readonly keys: readonly number[];
  readonly logins: number;
  /** How long a server may go on with what it does after a start or a login before its memory is taken. */
  readonly settleMs: number;
  /** How long after the logins their CPU time is read: the store writes what they changed within two seconds. */
  readonly afterLoginsMs: number;
}

export const fullSizes: ScalingSizes = {
  streamBytes: 256 * 2 ** 20,
  streams: [1, 2, 4, 8, 16],
  sessions: [250, 500, 1000, 2000],
  keys: [10, 100, 1000, 10_000, 20_000],
  logins: 100,
  settleMs: 2000,
  afterLoginsMs: 2500,
};

/** Enough to see that everything works; the numbers say nothing. */
export const quickSizes: ScalingSizes = {
  streamBytes: 2 ** 20,
  streams: [2],
  sessions: [2, 4],
  keys: [10, 20],
  logins: 2,
  settleMs: 50,
  afterLoginsMs: 0,
};

/** No more rounds than these: all of the section is to take ten minutes. */
export const mostRounds = 3;
