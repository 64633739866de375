// The server's side of a transfer, the same for plain TCP and TLS.
import net from 'node:net';
import { endedByReset } from '../sys/socket-error.js';
import { resetSocket } from './reset-socket.js';
import type { TlsLink } from './tls-client.js';

export interface ServerLeg {
  readonly stream: net.Socket;
  /** A server that ended its side can still take bytes. */
  readonly mayHalfClose: boolean;
  /** After `end` or `close`: the server said that this is all, as well as it can (close_notify on TLS, FIN without). */
  readonly endedWhole: () => boolean;
  /** After `end` or `close`: the server closed regularly, if maybe without proof, and nothing broke. */
  readonly endedCalmly: () => boolean;
  /** Breaks off so that the server can't take it for the end of a file. */
  readonly reset: () => void;
}

/** Takes the socket or the link as the server's side. */
export function serverLeg(server: net.Socket | TlsLink): ServerLeg {
  return server instanceof net.Socket ? plainLeg(server) : tlsLeg(server);
}

function plainLeg(socket: net.Socket): ServerLeg {
  socket.allowHalfOpen = true;
  socket.setNoDelay(true);
  // What broke shows in `readableEnded`, and `close` follows.
  socket.on('error', () => undefined);
  let isReset = socket.readableEnded && endedByReset(socket);
  socket.once('end', () => {
    isReset = endedByReset(socket);
  });
  const ended = (): boolean => socket.readableEnded && !isReset;
  return {
    stream: socket,
    mayHalfClose: true,
    endedWhole: ended,
    endedCalmly: ended,
    reset: () => {
      resetSocket(socket);
    },
  };
}

function tlsLeg(link: TlsLink): ServerLeg {
  return {
    stream: link.stream,
    mayHalfClose: false,
    endedWhole: () => link.ending() === 'authenticated',
    endedCalmly: () => link.ending() === 'authenticated' || link.ending() === 'truncated',
    reset: link.reset,
  };
}
