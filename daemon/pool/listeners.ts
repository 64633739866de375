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

/** Connections that the kernel keeps while this thread is busy; the kernel's own limit (somaxconn) may be lower. */
const BACKLOG = 4096;

export const LOOPBACK = addresses('127.0.0.1', '::1');
export const ANY_ADDRESS = addresses('0.0.0.0', '::');

/** Where the workers listen behind the kernel's redirect: what is forwarded arrives at an address of the machine's own networks. */
export function listenAddresses(forwarded: boolean): readonly IpAddress[] {
  return forwarded ? ANY_ADDRESS : LOOPBACK;
}

/** One service of a worker: the same port on several addresses of the machine. */
export interface Listening {
  readonly endpoints: readonly Endpoint[];
  readonly servers: readonly Server[];
}

/** Listens at one endpoint; rejects with the system's error. Accepted sockets are paused and may be half-closed. */
export function listenAt(endpoint: Endpoint): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.once('error', reject);
    const { address: host, port } = endpoint;
    // `ipv6Only`, because :: would take the port of 0.0.0.0 too.
    server.listen({ host, port, backlog: BACKLOG, exclusive: true, ipv6Only: true }, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

/** Listens on the first port of the range that is free on all the addresses. Rejects with a Fault if none is. */
export async function listenOnEach(
  addresses: readonly IpAddress[],
  range: PortRange,
  skip: Port | undefined,
): Promise<Listening> {
  for (let number: number = range.first; number <= range.last; number += 1) {
    const port = parsePort(number);
    const listening = port === undefined || port === skip ? undefined : await tryPort(addresses, port);
    if (listening !== undefined) return listening;
  }
  throw new Fault('network', `no free port between ${range.first} and ${range.last} to listen on`);
}

function addresses(...texts: readonly string[]): readonly IpAddress[] {
  return texts.flatMap((text) => parseIpAddress(text) ?? []);
}

/**
 * The same on `count` ports that follow each other, all without `skip`; on fewer, down to one, where the range has no such place.
 * The endpoints come in the order of their ports.
 */
export async function listenOnRun(
  addresses: readonly IpAddress[],
  range: PortRange,
  skip: Port | undefined,
  count: number,
): Promise<Listening> {
  for (let length = count; length > 1; length = Math.floor(length / 2)) {
    const run = await runOf(addresses, range, skip, length);
    if (run !== undefined) return run;
  }
  return listenOnEach(addresses, range, skip);
}

async function runOf(
  addresses: readonly IpAddress[],
  range: PortRange,
  skip: Port | undefined,
  length: number,
): Promise<Listening | undefined> {
  let run: Listening[] = [];
  for (let number: number = range.first; number <= range.last && run.length < length; number += 1) {
    const port = parsePort(number);
    const listening = port === undefined || port === skip ? undefined : await tryPort(addresses, port);
    if (listening !== undefined) {
      run.push(listening);
      continue;
    }
    await Promise.all(run.flatMap(({ servers }) => servers.map(closed)));
    run = [];
  }
  if (run.length === length)
    return {
      endpoints: run.flatMap(({ endpoints }) => endpoints),
      servers: run.flatMap(({ servers }) => servers),
    };
  await Promise.all(run.flatMap(({ servers }) => servers.map(closed)));
  return undefined;
}

/** Ends the listening; resolves when the port is free again. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}

async function tryPort(addresses: readonly IpAddress[], port: Port): Promise<Listening | undefined> {
  const servers: Server[] = [];
  const endpoints: Endpoint[] = [];
  for (const address of addresses) {
    try {
      servers.push(await listenAt({ address, port }));
      endpoints.push({ address, port });
    } catch (error) {
      // A machine without IPv6 has no ::1 and no ::; everything else means that the port is taken.
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
