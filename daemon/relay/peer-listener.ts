// A port for one connection of one peer: active mode, where a server connects to us.
import { createServer, type Socket } from 'node:net';
import { parseIpAddress, parsePort, type Endpoint, type IpAddress } from '../../shared/endpoint.js';

export interface PeerListenerOptions {
  /** This machine's address that the peer knows. */
  readonly address: IpAddress;
  /** Whose connection is taken; all others are closed. */
  readonly peer: IpAddress;
  readonly onListening: (endpoint: Endpoint) => void;
  /** Called at most once; the socket is paused. */
  readonly onSocket: (socket: Socket) => void;
  readonly onError: (error: Error) => void;
}

/** Stops by itself with the peer's connection. After `close` nothing is reported any more. */
export interface PeerListener {
  readonly close: () => void;
}

export function listenForPeer(options: PeerListenerOptions): PeerListener {
  const { address, peer } = options;
  const listener = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  let open = true;
  const close = (): void => {
    open = false;
    listener.close();
  };
  listener.on('error', (error) => {
    if (open) options.onError(error);
  });
  listener.on('connection', (socket: Socket) => {
    if (!open || parseIpAddress(socket.remoteAddress) !== peer) {
      socket.destroy();
      return;
    }
    close();
    options.onSocket(socket);
  });
  listener.listen({ host: address, port: 0, exclusive: true }, () => {
    const bound = listener.address();
    const port = typeof bound === 'object' ? parsePort(bound?.port) : undefined;
    if (port !== undefined && open) options.onListening({ address, port });
  });
  return { close };
}
