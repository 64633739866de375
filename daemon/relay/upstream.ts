// Opens the proxy's own connections to servers: from the source-port range where that matters, without delay, with a bounded wait.
import { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import type { Endpoint } from '../../shared/endpoint.js';
import type { SourcePorts } from '../sys/source-ports.js';
import { createBulkSocket } from './bulk-socket.js';

/** Milliseconds for a TCP connection; what Linux itself would take is over two minutes, longer than FTP clients wait. */
const CONNECT_MS = 30_000;
/** Milliseconds for a data connection: its peer has just spoken on the control connection, so silence means a wall. Four SYNs. */
const DATA_CONNECT_MS = 10_000;
/** Source ports to try before giving up: they are only taken where 16 connections to this one server follow each other. */
const PORT_ATTEMPTS = 16;
/** Windows keeps blocks of ports for its virtual machines, and says EACCES. */
const PORT_TAKEN: readonly string[] = [
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  ...(process.platform === 'win32' ? ['EACCES'] : []),
];

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'it refused the connection',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'it reset the connection',
};

/** A system error of a socket in words. */
export function socketReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return WORDS[code] ?? (code === '' ? 'the connection failed' : code);
}

/** Where a connection comes from; the system chooses what is absent. */
export interface LocalEnd {
  readonly localAddress?: string;
  readonly localPort?: number;
}

/**
 * A connected socket to `to`, TCP_NODELAY set, paused. Rejects with a Fault `network`. Without `ports` the system
 * chooses the source port. The caller owns the socket and handles its errors.
 */
export async function dialServer(to: Endpoint, ports: SourcePorts | undefined): Promise<Socket> {
  try {
    return await fromOneOf(ports, (from) =>
      connectSocket(new Socket({ allowHalfOpen: true }), to, from, CONNECT_MS),
    );
  } catch (error) {
    throw new Fault('network', socketReason(error), error);
  }
}

/** One connection for bulk data (see bulk-socket.ts); rejects with the system's error. The caller handles later errors. */
export function dialData(to: Endpoint, from: LocalEnd = {}): Promise<Socket> {
  return connectSocket(createBulkSocket(), to, from, DATA_CONNECT_MS);
}

/** The same from one of `ports`, so that the redirect layer knows it for the proxy's own; without them from any port. */
export function dialDataFrom(ports: SourcePorts | undefined, to: Endpoint): Promise<Socket> {
  return fromOneOf(ports, (from) => dialData(to, from));
}

async function fromOneOf(
  ports: SourcePorts | undefined,
  dial: (from: LocalEnd) => Promise<Socket>,
): Promise<Socket> {
  if (ports === undefined) return dial({});
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await dial({ localPort: ports.next() });
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && PORT_TAKEN.includes(String(error.code));
      if (!taken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function connectSocket(socket: Socket, to: Endpoint, from: LocalEnd, ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' }));
    }, ms);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      socket.pause();
      resolve(socket);
    });
    socket.setNoDelay(true);
    socket.connect({ host: to.address, port: to.port, ...from });
  });
}
