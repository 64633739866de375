// The two ends of the relay as it sees them: bytes out of one, bytes into the other, how they ended, how to break them off.
import net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type tls from 'node:tls';
import { receive, type Consumer } from '../relay/bulk-socket.js';
import type { GuardedTransport } from '../relay/guarded-transport.js';
import { resetSocket } from '../relay/reset-socket.js';
import { duplicateDescriptor } from '../sys/libc.js';
import { socketDescriptor } from '../sys/socket-descriptor.js';
import { endedByReset } from '../sys/socket-error.js';

export interface Leg {
  readonly source: Readable;
  readonly sink: Writable;
  /** Starts to read; `source.pause()` and `resume()` work as ever. */
  readonly receive: (consumer: Consumer) => void;
  /** How the source ended; ask once, at its `end`, or at its `close` if there was no `end`. */
  readonly ending: () => 'regular' | 'cut';
  /** Calls back when the other end is gone altogether, so that nothing that is written arrives any more. */
  readonly onGone: (listener: () => void) => void;
  /** Nobody cares for the source of a leg whose sink is gone. */
  readonly goesWithSink: boolean;
  /** Ends both ways so that the other end can't take it for a regular end, where its kind of connection can say so. */
  readonly abort: () => void;
  /** Ends both ways after everything was said. */
  readonly close: () => void;
}

/** A connected TCP socket in clear. */
export function tcpLeg(socket: net.Socket): Leg {
  socket.allowHalfOpen = true;
  socket.on('error', () => undefined);
  return {
    source: socket,
    sink: socket,
    receive: (consumer) => {
      receive(socket, consumer);
    },
    ending: () => (socket.readableEnded && !endedByReset(socket) ? 'regular' : 'cut'),
    onGone: (listener) => {
      socket.once('close', listener);
    },
    goesWithSink: true,
    abort: () => {
      resetSocket(socket);
    },
    close: () => {
      socket.destroy();
    },
  };
}

/**
 * A connected Unix socket in clear: a program's or a parent's. They close it when they are done, read or not, and what they wrote
 * before counts all the same: so a write that fails must not take the reading side with it. After `exited` nobody reads any more.
 */
export function unixLeg(socket: net.Socket, exited?: Promise<unknown>): Leg {
  socket.allowHalfOpen = true;
  const sink = writingTwin(socket);
  let isReset = false;
  socket.on('error', (error: NodeJS.ErrnoException) => {
    isReset = error.code === 'ECONNRESET';
  });
  const dropSink = (): void => {
    sink.destroy();
  };
  void exited?.then(() => {
    if (socket.readableEnded) dropSink();
    else socket.once('end', dropSink);
  });
  return {
    ...pairLeg(socket, sink),
    ending: () => (socket.readableEnded || isReset ? 'regular' : 'cut'),
    goesWithSink: false,
  };
}

/** Another socket on the same connection, only to write. */
function writingTwin(socket: net.Socket): net.Socket {
  const fd = socketDescriptor(socket);
  if (fd === undefined) return socket;
  return new net.Socket({
    fd: duplicateDescriptor(fd),
    readable: false,
    writable: true,
    allowHalfOpen: true,
  });
}

/** TLS on `raw`, established and guarded by `transport`. */
export function tlsLeg(stream: tls.TLSSocket, transport: GuardedTransport, raw: net.Socket): Leg {
  // An error that comes after the handshake leaves the stream open.
  stream.on('error', () => {
    stream.destroy();
  });
  return {
    source: stream,
    sink: stream,
    receive: (consumer) => {
      receive(stream, consumer);
    },
    ending: () => (stream.readableEnded && transport.ending() === 'authenticated' ? 'regular' : 'cut'),
    onGone: (listener) => {
      // The transport swallows failing writes once the peer has said its last word; here they are the news.
      raw.once('close', listener);
      stream.once('close', listener);
    },
    goesWithSink: false,
    abort: () => {
      if (raw.remoteFamily !== undefined) resetSocket(raw);
      stream.destroy();
    },
    close: () => {
      stream.destroy();
    },
  };
}

/** Two streams that belong together: standard input and output. */
export function pairLeg(source: Readable, sink: Writable): Leg {
  source.on('error', () => source.destroy());
  sink.on('error', () => sink.destroy());
  const close = (): void => {
    source.destroy();
    sink.destroy();
  };
  return {
    source,
    sink,
    receive: (consumer) => {
      receive(source, consumer);
    },
    ending: () => (source.readableEnded ? 'regular' : 'cut'),
    onGone: (listener) => {
      sink.once('close', listener);
    },
    goesWithSink: true,
    abort: close,
    close,
  };
}
