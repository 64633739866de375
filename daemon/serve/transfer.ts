// One transfer between a client, protected or not, and the backend in clear. The pump proves the end of the leg that it calls the
// server's: here that is the client's, so with protection the roles are exchanged.
import { Socket } from 'node:net';
import type { DataOutcome } from '../ftp/data-outcome.js';
import { pump } from '../relay/data-pump.js';
import type { ProvableStream } from '../relay/server-leg.js';

/** Milliseconds for a client to close its side when it has everything; the word that it has must not wait longer. */
const CLIENT_CLOSE_MS = 5_000;

export interface TransferOptions {
  readonly client: Socket | ProvableStream;
  readonly backend: Socket;
  readonly direction: 'download' | 'upload';
  readonly onBytes: (count: number) => void;
}

/** As `pump`: owns both connections, never rejects, resets both unless the outcome is `complete`. */
export async function runTransfer({
  client,
  backend,
  direction,
  onBytes,
}: TransferOptions): Promise<DataOutcome> {
  if (client instanceof Socket) return pump({ client, server: backend, direction, onBytes });
  const outcome = await pump({
    client: backend,
    server: client,
    direction: direction === 'download' ? 'upload' : 'download',
    onBytes,
    peerCloseMs: CLIENT_CLOSE_MS,
  });
  return direction === 'download' ? asDownload(outcome) : asUpload(outcome);
}

/** The pump uploaded from the backend to the client. */
function asDownload({ kind, bytes }: DataOutcome): DataOutcome {
  switch (kind) {
    case 'complete':
    case 'truncated':
      return { kind, bytes };
    case 'clientGone':
      return { kind: 'truncated', bytes };
    case 'serverGone':
      return { kind: 'clientGone', bytes };
  }
}

/** The pump downloaded from the client to the backend: a client's end without proof is no end. */
function asUpload({ kind, bytes }: DataOutcome): DataOutcome {
  switch (kind) {
    case 'complete':
    case 'serverGone':
      return { kind, bytes };
    case 'truncated':
      return { kind: 'clientGone', bytes };
    case 'clientGone':
      return { kind: 'serverGone', bytes };
  }
}
