// How a client gets its data connections: through the redirect layer, or on ports of this machine (explicit proxy).
import type { Socket } from 'node:net';
import type { Endpoint } from '../../shared/endpoint.js';
import type { UserId } from '../../shared/user-id.js';

/** Who may take a data connection: the control connection's own side. */
export interface DataOwner {
  readonly server: Endpoint;
  readonly client: Endpoint;
  readonly uid: UserId | undefined;
  /** The client is another host that this machine routes for; its address is all that is known of it. */
  readonly forwarded: boolean;
}

/** A port at which one data connection of one client is expected. */
export interface Offer {
  /** What the client is told. */
  readonly endpoint: Endpoint;
  /** Stops expecting; connections that were handed over stay. Idempotent. */
  withdraw(): void;
}

export interface ClientDataPorts {
  /**
   * Expects data connections of `owner` and hands each to `onSocket` (a client may come back after a refused transfer).
   * Connections of anybody else are dropped without ending the offer. Rejects with a Fault when no port is free.
   */
  offer(owner: DataOwner, onSocket: (socket: Socket) => void): Promise<Offer>;
  /** Connects to the client's own data port `to`; the client sees the server's address and port 20 where that is possible. */
  connect(owner: DataOwner, to: Endpoint): Promise<Socket>;
}
