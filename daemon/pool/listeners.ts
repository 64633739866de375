// The sockets that a worker listens on.
import { createServer, type Server } from 'node:net';
import {
  parseIpAddress,
  parsePort,
  type Endpoint,
  type IpAddress,
  type Port,
  type PortRange,
} from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';

const LOOPBACKS: readonly IpAddress[] = ['127.0.0.1', '::1'].flatMap((text) => parseIpAddress(text) ?? []);
/** Connections that the kernel keeps while this thread is busy; the kernel's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

/** One service of a worker: the same port on every loopback address of the machine. */
export interface Listening {
  readonly endpoints: readonly Endpoint[];
  readonly servers: readonly Server[];
}

/** Listens at one endpoint; rejects with the system's error. Accepted sockets are paused and may be half-closed. */
export function listenAt(endpoint: Endpoint): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.once('error', reject);
    server.listen({ host: endpoint.address, port: endpoint.port, backlog: BACKLOG, exclusive: true }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** Listens on the first port of the range that is free on all loopback addresses. Rejects with a Fault if none is. */
export async function listenOnLoopback(range: PortRange, skip: Port | undefined): Promise<Listening> {
  for (let number: number = range.first; number <= range.last; number += 1) {
    const port = parsePort(number);
    const listening = port === undefined || port === skip ? undefined : await tryPort(port);
    if (listening !== undefined) return listening;
  }
  throw new Fault('network', `no free port between ${range.first} and ${range.last} to listen on`);
}

async function tryPort(port: Port): Promise<Listening | undefined> {
  const servers: Server[] = [];
  const endpoints: Endpoint[] = [];
  for (const address of LOOPBACKS) {
    try {
      servers.push(await listenAt({ address, port }));
      endpoints.push({ address, port });
    } catch (error) {
      // A machine without IPv6 has no ::1; everything else means that the port is taken.
      if (isMissingAddress(error)) continue;
      for (const server of servers) server.close();
      return undefined;
    }
  }
  return servers.length === 0 ? undefined : { servers, endpoints };
}

function isMissingAddress(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT')
  );
}
