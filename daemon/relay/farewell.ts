// The end of a connection that never became a session.
import type { Socket } from 'node:net';

/** Milliseconds for a peer to take the last words; one that then still keeps its side open has no descriptor of ours to hold. */
const FAREWELL_MS = 2_000;

/** Says this and closes, whether or not the peer ever does. What it still sends is thrown away. */
export function endWith(socket: Socket, text: string): void {
  socket.on('error', () => undefined);
  socket.end(text);
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
  socket.once('close', () => {
    clearTimeout(timer);
  });
}
