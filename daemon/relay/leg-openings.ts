// How the two legs of a data channel come about, on either side of ftpseal: a port offered to the client or a connection to its own,
// a connection to the server or a port for it. What becomes of the sockets is the channel's business.
import type { Socket } from 'node:net';
import { parseIpAddress, type Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { ChannelReports } from './channel-reports.js';
import type { ClientDataPorts, DataOwner, Offer } from './client-data-ports.js';
import { listenForPeer, type PeerListener } from './peer-listener.js';
import { socketReason } from './upstream.js';

export interface LegOpeningsOptions {
  readonly owner: DataOwner;
  readonly ports: ClientDataPorts;
  /** Whose the client's data port is, for the sentence when it can't be reached. */
  readonly clientIs: 'this program' | 'your program';
  readonly dialServer: (to: Endpoint) => Promise<Socket>;
  /** This machine's address on the control connection to the server, for active mode. */
  readonly localAddress: () => string | undefined;
  readonly reports: Pick<ChannelReports, 'onOffered' | 'onServerReached' | 'onServerListening'>;
  /** May be called more than once: a client comes back after a refused transfer. */
  readonly onClient: (socket: Socket) => void;
  readonly onFailed: (leg: 'client' | 'server', reason: string) => void;
}

/** Hands every socket over, also after `close`. */
export class LegOpenings {
  readonly #options: LegOpeningsOptions;
  #offer: Offer | undefined;
  #listener: PeerListener | undefined;
  #closed = false;

  constructor(options: LegOpeningsOptions) {
    this.#options = options;
  }

  listenForClient(): void {
    const { ports, owner, onClient, reports, onFailed } = this.#options;
    ports.offer(owner, onClient).then(
      (offer) => {
        if (this.#closed) {
          offer.withdraw();
          return;
        }
        this.#offer = offer;
        reports.onOffered(offer.endpoint);
      },
      (error: unknown) => {
        onFailed('client', Fault.from(error).userMessage);
      },
    );
  }

  connectClient(to: Endpoint): void {
    const { ports, owner, onClient, clientIs, onFailed } = this.#options;
    ports.connect(owner, to).then(onClient, (error: unknown) => {
      onFailed('client', `${clientIs}'s data port: ${socketReason(error)}`);
    });
  }

  connectServer(to: Endpoint, onServer: (socket: Socket) => void): void {
    const { dialServer, reports, onFailed } = this.#options;
    dialServer(to).then(
      (socket) => {
        onServer(socket);
        if (!this.#closed) reports.onServerReached();
      },
      (error: unknown) => {
        onFailed('server', `the server's data port: ${socketReason(error)}`);
      },
    );
  }

  /** Active mode towards the server: it connects to us, from its own address. */
  listenForServer(onServer: (socket: Socket) => void): void {
    const { localAddress, owner, reports, onFailed } = this.#options;
    const address = parseIpAddress(localAddress());
    if (address === undefined) {
      onFailed('server', 'the connection to the server is gone');
      return;
    }
    this.#listener = listenForPeer({
      address,
      peer: owner.server.address,
      onListening: reports.onServerListening,
      onSocket: onServer,
      onError: (error) => {
        onFailed('server', socketReason(error));
      },
    });
  }

  /** The server is not expected any more; the client is. */
  stopListening(): void {
    this.#listener?.close();
  }

  /** Nobody is expected any more. */
  close(): void {
    this.#closed = true;
    this.#offer?.withdraw();
    this.#listener?.close();
  }
}
