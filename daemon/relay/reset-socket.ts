// Ending a connection so that the peer can't take it for a regular end.
import type net from 'node:net';

/**
 * Closes with a TCP reset, so that the peer sees a failure and never the end of a file. Unsent bytes are dropped. A socket
 * whose FIN is already on its way is only closed: the kernel refuses to reset it.
 */
export function resetSocket(socket: net.Socket): void {
  if (socket.destroyed) return;
  const finPending = socket.writableEnded && !socket.writableFinished;
  if (socket.connecting || finPending) socket.destroy();
  else socket.resetAndDestroy();
}
