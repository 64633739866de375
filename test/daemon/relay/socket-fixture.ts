// Real sockets on the loopback for the tests of this folder.
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { createBulkSocket } from '../../../daemon/relay/bulk-socket.js';
import { endedByReset } from '../../../daemon/sys/socket-error.js';
import type { KeyPair } from './certificate-fixture.js';

export interface Listener {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/** Listens on a free port; `close` also destroys what is still open. */
export async function listen(server: net.Server): Promise<Listener> {
  const open = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Kind = 'ordinary' | 'bulk';

/** A connected socket of the kind that the proxy uses. */
export async function dial(port: number, kind: Kind = 'ordinary'): Promise<net.Socket> {
  const socket = kind === 'bulk' ? createBulkSocket() : new net.Socket({ allowHalfOpen: true });
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

export interface Pair {
  /** The proxy's end: accepted, paused, as the session driver hands it over. */
  readonly near: net.Socket;
  /** The client program's end. */
  readonly far: net.Socket;
  readonly close: () => Promise<void>;
}

/** A client's data connection. */
export async function connectClient(): Promise<Pair> {
  const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const listener = await listen(server);
  const far = new net.Socket({ allowHalfOpen: true });
  far.on('error', () => undefined);
  far.connect(listener.port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [net.Socket];
  if (far.connecting) await once(far, 'connect');
  return { near, far, close: listener.close };
}

/** A TLS server that hands each connection to `serve`. */
export async function serveTls(
  pair: KeyPair,
  options: tls.TlsOptions,
  serve: (socket: tls.TLSSocket) => void,
): Promise<Listener> {
  const server = tls.createServer({ key: pair.key, cert: pair.cert, allowHalfOpen: true, ...options });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    // Node's server sends no close_notify when it is ended before its handshake has returned.
    setImmediate(serve, socket);
  });
  return listen(server);
}

/** Everything that comes until the end; `ended` false if the connection broke instead, also where Node calls that an end. */
export async function readAll(socket: net.Socket): Promise<{ bytes: Buffer; ended: boolean }> {
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  const ended = await new Promise<boolean>((resolve) => {
    socket.once('end', () => {
      resolve(!endedByReset(rawOf(socket)));
    });
    socket.once('close', () => {
      resolve(false);
    });
  });
  return { bytes: Buffer.concat(parts), ended };
}

/** The TCP socket under a server's TLS socket, for breaking it. */
export function rawOf(socket: net.Socket): net.Socket {
  const parent: unknown = Reflect.get(socket, '_parent');
  return parent instanceof net.Socket ? parent : socket;
}

/** Bytes that compress and repeat badly, the same for the same seed. */
export function payload(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed >>> 0 || 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
