// Takes connections that the redirect layer sent here, finds out where they were going and whose they are.
import type { Socket } from 'node:net';
import { parseIpAddress, parsePort, type Endpoint } from '../../shared/endpoint.js';
import type { ClientDataPorts } from '../relay/client-data-ports.js';
import { originalDestination } from '../sys/original-destination.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';
import { socketOwner } from '../sys/socket-owner.js';
import type { SessionPool } from './session-pool.js';

/** A connection made to the proxy's port directly has no original destination and is refused. */
export class RedirectFront {
  readonly #pool: SessionPool;
  readonly #dataPorts: ClientDataPorts;

  constructor(pool: SessionPool, dataPorts: ClientDataPorts) {
    this.#pool = pool;
    this.#dataPorts = dataPorts;
  }

  readonly accept = (client: Socket): void => {
    const descriptor = socketDescriptor(client);
    const server = descriptor === undefined ? undefined : originalDestination(descriptor);
    const peer = peerOf(client);
    if (server === undefined || peer === undefined) {
      client.destroy();
      return;
    }
    const uid = socketOwner(peer, server);
    void this.#pool.start({
      client,
      connection: { server, client: peer, ...(uid === undefined ? {} : { uid }) },
      dataPorts: this.#dataPorts,
      greeting: 'forward',
      dataPath: 'direct',
      early: Buffer.alloc(0),
      dialled: undefined,
    });
  };
}

/** The other end of an accepted socket; undefined when it is gone already. */
export function peerOf(socket: Socket): Endpoint | undefined {
  const address = parseIpAddress(socket.remoteAddress);
  const port = parsePort(socket.remotePort);
  return address === undefined || port === undefined ? undefined : { address, port };
}
