// What takes part where FTP is measured: a way from a client on its own host to a server.
import type { Entrant } from '../work.js';

/**
 * How the client protects itself: not at all; with AUTH TLS, PBSZ and PROT P; or with TLS from the first byte of both connections,
 * without a word about it, as TLS wrappers want it. `relayed`: not at all either, but it says PBSZ and PROT P in the stead of a
 * relay that wraps both connections and knows no FTP; big files only.
 */
export type Protection = 'none' | 'explicit' | 'wrapped' | 'relayed';

/** A contender that runs. */
export interface Contender extends Entrant {
  /** The client's host. */
  readonly namespace: string;
  /** What the client connects to and the user it logs in as. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly protection: Protection;
  /** The roots of the process trees whose time and memory are counted; they change with a restart. None: nothing is. */
  roots(): readonly number[];
  /** The program in between; undefined if there is none. */
  readonly proxy: Proxy | undefined;
  /** What does the uploads in its stead, where it can't do them itself. */
  readonly uploads: Contender | undefined;
}

/** A program in between. */
export interface Proxy {
  /** The root of its process tree, which changes with a restart. */
  pid(): number;
  /** Ends it and starts it afresh, so that its memory is that of a fresh start. */
  restart(): Promise<void>;
  /** Milliseconds from its last start until it said that it is ready; absent where it does not say. */
  readonly readyAfterMs?: () => number | undefined;
  stop(): Promise<void>;
  /** What it printed and logged. */
  log(): string;
}

/** Stops everything that the contenders started. */
export async function stopAll(contenders: readonly Contender[]): Promise<void> {
  for (const contender of contenders) {
    await contender.proxy?.stop();
    await contender.uploads?.proxy?.stop();
  }
}
