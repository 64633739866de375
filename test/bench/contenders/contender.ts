// What takes part in the benchmark: a way from a client on its own host to one of the two servers.
import type { LabServer } from '../../lab/harness/server.js';

export const contenderNames = ['ftpseal', 'mod_proxy', 'native', 'plain'] as const;
export type ContenderName = (typeof contenderNames)[number];

/** One line of what each is, for the report. */
export const titles: Readonly<Record<ContenderName, string>> = {
  ftpseal: 'plain client, ftpseal transparent in between, FTPS server',
  mod_proxy: 'plain client, ProFTPD mod_proxy (forward, ProxyTLSEngine on) in between, FTPS server',
  native: 'FTPS client (curl and ftplib), FTPS server',
  plain: 'plain client, plain server: no TLS anywhere, the bound',
};

/** A contender that runs. */
export interface Contender {
  readonly name: ContenderName;
  /** The client's host. */
  readonly namespace: string;
  /** What the client connects to and the user it logs in as. */
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Whether the client itself speaks TLS. */
  readonly tls: boolean;
  /** The server where everything ends. */
  readonly server: LabServer;
  /** The proxy in between; undefined if there is none. */
  readonly proxy: Proxy | undefined;
  /** What does the uploads in its stead, where it can't do them itself. */
  readonly uploads: Contender | undefined;
}

/** The program of a contender whose time and memory are counted. */
export interface Proxy {
  /** The root of its process tree, which changes with a restart. */
  pid(): number;
  /** Ends it and starts it afresh, so that its memory is that of a fresh start. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** What it printed and logged. */
  log(): string;
}
