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

/** What becomes of a port that needs a right, is listened on, or has just had a connection to the same place. */
const NOT_OURS: readonly string[] = ['EACCES', 'EADDRINUSE', 'EADDRNOTAVAIL'];

export interface ServeDataPortsOptions {
  /** This machine's end of the control connection. */
  readonly own: Endpoint;
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
    const { publicAddress, own } = this.#options;
    const { server, endpoint } = await this.#listen();
    server.on('connection', (socket: Socket) => {
      if (parseIpAddress(socket.remoteAddress) === owner.client.address) onSocket(socket);
      else socket.destroy();
    });
    const told = familyOf(own.address) === 4 ? (publicAddress ?? own.address) : own.address;
    return {
      endpoint: { address: told, port: endpoint.port },
      withdraw: () => {
        server.close();
      },
    };
  }

  /**
   * From the port below that of the control connection, port 20 by custom (RFC 959 section 3.2), which clients' firewalls may expect;
   * from any port where the system does not let us have it.
   */
  async connect(_owner: DataOwner, to: Endpoint): Promise<Socket> {
    const { address, port } = this.#options.own;
    try {
      return await dialData(to, { localAddress: address, localPort: port - 1 });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!NOT_OURS.includes(code)) throw error;
      return dialData(to, { localAddress: address });
    }
  }

  async #listen(): Promise<Listening> {
    const { range } = this.#options;
    const { address } = this.#options.own;
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
