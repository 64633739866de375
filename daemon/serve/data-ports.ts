// Where clients of the server proxy open their data connections: on this machine's end of the control connection, in the configured
// range.
import { createServer, type Server, type Socket } from 'node:net';
import {
  familyOf,
  parseIpAddress,
  parsePort,
  portCount,
  type Endpoint,
  type IpAddress,
  type PortRange,
} from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { ClientDataPorts, DataOwner, Offer } from '../relay/client-data-ports.js';
import { dialData } from '../relay/upstream.js';

/** Ports of a range to try: with more of them in use the range is too small for what is asked of it. */
const ATTEMPTS_MAX = 200;

export interface ServeDataPortsOptions {
  /** This machine's end of the control connection. */
  readonly address: IpAddress;
  /** What an IPv4 client is told in its place. */
  readonly publicAddress: IpAddress | undefined;
  readonly range: PortRange | undefined;
}

/** Takes data connections from the control connection's own peer address only. */
export class ServeDataPorts implements ClientDataPorts {
  readonly #options: ServeDataPortsOptions;

  constructor(options: ServeDataPortsOptions) {
    this.#options = options;
  }

  async offer(owner: DataOwner, onSocket: (socket: Socket) => void): Promise<Offer> {
    const { address, publicAddress } = this.#options;
    const { server, endpoint } = await this.#listen();
    server.on('connection', (socket: Socket) => {
      if (parseIpAddress(socket.remoteAddress) === owner.client.address) onSocket(socket);
      else socket.destroy();
    });
    const told = familyOf(address) === 4 ? (publicAddress ?? address) : address;
    return {
      endpoint: { address: told, port: endpoint.port },
      withdraw: () => {
        server.close();
      },
    };
  }

  connect(_owner: DataOwner, to: Endpoint): Promise<Socket> {
    return dialData(to, { localAddress: this.#options.address });
  }

  async #listen(): Promise<Listening> {
    const { address, range } = this.#options;
    if (range === undefined) return listenAt(address, 0);
    const count = portCount(range);
    const start = Math.floor(Math.random() * count);
    for (let tried = 0; tried < Math.min(count, ATTEMPTS_MAX); tried += 1) {
      try {
        return await listenAt(address, range.first + ((start + tried) % count));
      } catch (error) {
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
        if (!isTaken) throw new Fault('network', 'no port for the data connection is free', error);
      }
    }
    throw new Fault('network', 'no port for the data connection is free (passive_ports)');
  }
}

interface Listening {
  readonly server: Server;
  readonly endpoint: Endpoint;
}

/** Rejects with the system's error. */
function listenAt(address: IpAddress, port: number): Promise<Listening> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address();
      const actual = typeof bound === 'object' ? parsePort(bound?.port) : undefined;
      if (actual === undefined) {
        server.close();
        reject(new Error('the listener has no port'));
        return;
      }
      resolve({ server, endpoint: { address, port: actual } });
    });
  });
}
