// Ending a connection so that the peer can't take it for a regular end.
import type net from 'node:net';
import type tls from 'node:tls';

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

/**
 * The same for a TLS stream and the socket that it works on directly. The stream goes first and takes the socket along: Node
 * (20 at least) crashes, and takes every session with it, when such a stream is used or destroyed after its socket was.
 */
export function resetTls(stream: tls.TLSSocket, raw: net.Socket): void {
  if (raw.destroyed || stream.destroyed) return;
  const finPending = stream.writableEnded && !stream.writableFinished;
  // What `resetAndDestroy` sets, which itself would destroy the socket at once.
  if (!raw.connecting && !finPending) Object.assign(raw, { resetAndClosing: true });
  stream.destroy();
}
