// Data connections of the explicit proxy: ordinary ports of this machine, next to the control connection's own address.
import { createServer, type Socket } from 'node:net';
import { parseEndpoint, parsePort, type Endpoint, type IpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { socketOwner } from '../sys/socket-owner.js';
import type { ClientDataPorts, DataOwner, Offer } from './client-data-ports.js';
import { dialData } from './upstream.js';

/** Listens on `address`, the proxy's end of the control connection, and takes only the control connection's own user. */
export class LocalDataPorts implements ClientDataPorts {
  readonly #address: IpAddress;

  constructor(address: IpAddress) {
    this.#address = address;
  }

  offer(owner: DataOwner, onSocket: (socket: Socket) => void): Promise<Offer> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
      server.once('error', (error) => {
        reject(new Fault('network', 'no port for the data connection is free', error));
      });
      server.listen({ host: this.#address, port: 0, exclusive: true }, () => {
        const port = localPort(server.address());
        if (port === undefined) return;
        const endpoint: Endpoint = { address: this.#address, port };
        server.on('connection', (socket: Socket) => {
          if (isOwner(socket, endpoint, owner)) onSocket(socket);
          else socket.destroy();
        });
        resolve({
          endpoint,
          withdraw: () => {
            server.close();
          },
        });
      });
    });
  }

  connect(_owner: DataOwner, to: Endpoint): Promise<Socket> {
    return dialData(to);
  }
}

function localPort(address: unknown): Endpoint['port'] | undefined {
  return typeof address === 'object' && address !== null && 'port' in address
    ? parsePort(address.port)
    : undefined;
}

function isOwner(socket: Socket, endpoint: Endpoint, owner: DataOwner): boolean {
  const peer = parseEndpoint(`[${socket.remoteAddress ?? ''}]:${socket.remotePort ?? 0}`);
  if (peer?.address !== owner.client.address) return false;
  return owner.uid === undefined || socketOwner(peer, endpoint) === owner.uid;
}
