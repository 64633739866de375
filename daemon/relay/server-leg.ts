// The server's side of a transfer, the same for plain TCP, TLS and protected blocks.
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { endedByReset } from '../sys/socket-error.js';
import type { Ending } from './guarded-transport.js';
import { resetSocket } from './reset-socket.js';
import type { TlsLink } from './tls-client.js';

/** What a transfer needs of a TLS connection, whichever side of the handshake this was. */
export type SecuredStream = Pick<TlsLink, 'stream' | 'ending' | 'reset'>;

/** A connection whose end the peer can prove: TLS, or protected blocks. */
export interface ProvableStream {
  /** The plain text. */
  readonly stream: Duplex;
  /** Final once the stream has emitted `end` or `close`. */
  readonly ending: () => Ending;
  /** Breaks off so that the peer can't take it for the end of a file. */
  readonly reset: () => void;
}

export interface ServerLeg {
  readonly stream: Duplex;
  /** A server that ended its side can still take bytes. */
  readonly mayHalfClose: boolean;
  /** After `end` or `close`: the server said that this is all, as well as it can (close_notify, an end block, or else a FIN). */
  readonly endedWhole: () => boolean;
  /** After `end` or `close`: the server closed regularly, if maybe without proof, and nothing broke. */
  readonly endedCalmly: () => boolean;
  /** Breaks off so that the server can't take it for the end of a file. */
  readonly reset: () => void;
}

/** Takes the socket or the link as the server's side. */
export function serverLeg(server: net.Socket | ProvableStream): ServerLeg {
  return server instanceof net.Socket ? plainLeg(server) : provableLeg(server);
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

function provableLeg(link: ProvableStream): ServerLeg {
  return {
    stream: link.stream,
    mayHalfClose: false,
    endedWhole: () => link.ending() === 'authenticated',
    endedCalmly: () => link.ending() === 'authenticated' || link.ending() === 'truncated',
    reset: link.reset,
  };
}
