// Moves the bytes of one transfer between the client's and the server's data connection, and finds out how it ended.
// It knows nothing of FTP.
import type net from 'node:net';
import type { DataOutcome } from '../ftp/data-outcome.js';
import { Download } from './download.js';
import { serverLeg, type ProvableStream } from './server-leg.js';
import { Upload } from './upload.js';

export interface PumpOptions {
  /** Not read by anyone before; ordinary or bulk. */
  readonly client: net.Socket;
  /** Not read by anyone before; a link's `established` has been awaited and its peer is proven. */
  readonly server: net.Socket | ProvableStream;
  readonly direction: 'download' | 'upload';
  /** Called for every portion with its size. */
  readonly onBytes: (count: number) => void;
  /** Milliseconds without any progress after which the transfer is broken off; never by default. */
  readonly stallMs?: number | undefined;
  /** Milliseconds for a peer to close after this side has. */
  readonly peerCloseMs?: number | undefined;
}

/**
 * Runs one transfer and owns both connections from then on, to their end; they may be destroyed from outside to break it
 * off. The promise never rejects. A download is `complete` when the client's connection has been flushed and ended, an upload when the
 * server has also closed its side or taken too long to. Unless it is `complete` both connections are reset, so that neither
 * side can take what it has for a whole file. Holds a bounded number of bytes for a transfer of any size.
 */
export function pump(options: PumpOptions): Promise<DataOutcome> {
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
