// Moves the bytes of one transfer between the client's and the server's data connection, and finds out how it ended.
// It knows nothing of FTP. Which way the bytes go is chosen here: by system calls where that is possible, else by Node's streams.
import net from 'node:net';
import type { DataOutcome } from '../ftp/data-outcome.js';
import { DirectEnd } from './direct/direct-end.js';
import type { DirectLink } from './direct/direct-tls.js';
import { DirectTransfer } from './direct/direct-transfer.js';
import { Download } from './download.js';
import { serverLeg, type ProvableStream } from './server-leg.js';
import { Upload } from './upload.js';

export interface PumpOptions {
  /** Not read by anyone before; ordinary or bulk. */
  readonly client: net.Socket;
  /** Not read by anyone before; a link's `established` has been awaited and its peer is proven. */
  readonly server: net.Socket | ProvableStream | DirectLink;
  readonly direction: 'download' | 'upload';
  /** Called for every portion with its size. */
  readonly onBytes: (count: number) => void;
  /** Milliseconds without any progress after which the transfer is broken off; never by default. */
  readonly stallMs?: number | undefined;
  /** Milliseconds for a peer to close after this side has. */
  readonly peerCloseMs?: number | undefined;
}

type StreamOptions = PumpOptions & { readonly server: net.Socket | ProvableStream };

/**
 * Runs one transfer and owns both connections from then on, to their end; they may be destroyed from outside to break it
 * off. The promise never rejects. A download is `complete` when the client's connection has been flushed and ended, an upload when the
 * server has also closed its side or taken too long to. Unless it is `complete` both connections are reset, so that neither
 * side can take what it has for a whole file. Holds a bounded number of bytes for a transfer of any size.
 */
export function pump(options: PumpOptions): Promise<DataOutcome> {
  const { client, server } = options;
  if (server instanceof net.Socket)
    return isUntouched(client) && isUntouched(server)
      ? pumpDirectly(options, DirectEnd.on(server.setNoDelay(true)))
      : pumpStreams({ ...options, server });
  if ('end' in server) return pumpDirectly(options, server.end);
  return pumpStreams({ ...options, server });
}

/** With Node's streams: for what is no descriptor of Linux, and for plain text that only a stream has. */
export function pumpStreams(options: StreamOptions): Promise<DataOutcome> {
  return new Promise((resolve) => {
    const { client } = options;
    client.allowHalfOpen = true;
    client.setNoDelay(true);
    // A failure shows in `close`, which follows.
    client.on('error', () => undefined);
    const legs = { client, server: serverLeg(options.server) };
    if (options.direction === 'download') new Download(legs, options, resolve).start();
    else new Upload(legs, options, resolve).start();
  });
}

/** `server` is undefined when it is closed already. */
function pumpDirectly(options: PumpOptions, server: DirectEnd | undefined): Promise<DataOutcome> {
  return new Promise((resolve) => {
    const client = DirectEnd.on(options.client.setNoDelay(true));
    if (client !== undefined && server !== undefined) {
      new DirectTransfer({ client, server }, options, resolve).start();
      return;
    }
    client?.reset();
    server?.reset();
    const serverIsGone = options.direction === 'download' ? 'truncated' : 'serverGone';
    resolve({ kind: client === undefined ? 'clientGone' : serverIsGone, bytes: 0 });
  });
}

/** Node has read nothing of it and has seen no end. */
function isUntouched(socket: net.Socket): boolean {
  return process.platform === 'linux' && socket.bytesRead === 0 && !socket.readableEnded;
}
