// Joins two sockets byte for byte, both ways, with half-close and back-pressure. For tunnels and for what is not ours.
import type { Socket } from 'node:net';
import { endedByReset } from '../sys/socket-error.js';

/** Relays until both directions have ended; an error on one side resets the other. Takes over both sockets. */
export function relayRaw(a: Socket, b: Socket, onBytes?: (fromA: number, fromB: number) => void): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.on('error', () => {
      from.destroy();
    });
    from.once('close', (hadError) => {
      if (hadError) resetAfterFlush(to);
      else if (!to.writableEnded) to.end();
    });
    if (onBytes !== undefined) {
      from.on('data', (chunk: Buffer) => {
        onBytes(from === a ? chunk.length : 0, from === b ? chunk.length : 0);
      });
    }
    from.pipe(to, { end: false });
    from.once('end', () => {
      // A reset right behind the last bytes, which Node may report as an end.
      if (endedByReset(from)) resetAfterFlush(to);
      else to.end();
    });
    from.resume();
  }
}

/**
 * What came before the reset belongs to the stream: curl closes a finished upload with TLS tickets unread, which resets it, and
 * the server has had the whole file by then where nothing is in between.
 */
function resetAfterFlush(socket: Socket): void {
  if (!socket.writable) socket.resetAndDestroy();
  else socket.write(Buffer.alloc(0), () => socket.resetAndDestroy());
}
