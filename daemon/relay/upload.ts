// A transfer from the client to the server.
import type net from 'node:net';
import type { DataOutcome } from '../ftp/data-outcome.js';
import { endedByReset } from '../sys/socket-error.js';
import { receive, type Taken } from './bulk-socket.js';
import type { Legs, RunOptions } from './download.js';
import { resetSocket } from './reset-socket.js';
import type { ServerLeg } from './server-leg.js';
import { isFull, linger, PEER_CLOSE_MS, TransferRun, type OutcomeKind } from './transfer-run.js';

export class Upload {
  readonly #client: net.Socket;
  readonly #server: ServerLeg;
  readonly #run: TransferRun;
  readonly #peerCloseMs: number;
  #clientEnded = false;
  #clientPaused = false;
  #serverEnded = false;
  #patience: NodeJS.Timeout | undefined;

  constructor(legs: Legs, options: RunOptions, resolve: (outcome: DataOutcome) => void) {
    this.#client = legs.client;
    this.#server = legs.server;
    this.#peerCloseMs = options.peerCloseMs ?? PEER_CLOSE_MS;
    this.#run = new TransferRun({
      onBytes: options.onBytes,
      resolve,
      stallMs: options.stallMs,
      onStall: () => {
        this.#fail(this.#clientEnded || this.#clientPaused ? 'serverGone' : 'clientGone');
      },
    });
  }

  start(): void {
    const client = this.#client;
    const { stream } = this.#server;
    this.#run.on(client, 'end', () => {
      this.#onClientEnd();
    });
    this.#run.on(client, 'close', () => {
      if (!this.#clientEnded) this.#fail('clientGone');
    });
    this.#run.on(stream, 'drain', () => {
      this.#resumeClient();
    });
    this.#run.on(stream, 'finish', () => {
      this.#onFlushed();
    });
    this.#run.on(stream, 'end', () => {
      this.#onServerEnd();
    });
    this.#run.on(stream, 'close', () => {
      this.#onServerClose();
    });
    if (stream.destroyed || (stream.readableEnded && !this.#server.mayHalfClose)) {
      this.#fail('serverGone');
      return;
    }
    receive(stream, (bytes) => this.#discard(bytes));
    receive(client, (bytes) => this.#take(bytes));
    if (client.readableEnded) this.#onClientEnd();
    else if (client.destroyed) this.#fail('clientGone');
  }

  #take(bytes: Buffer): Taken {
    if (this.#run.settled) return 'done';
    this.#server.stream.write(bytes);
    if (isFull(this.#server.stream)) this.#pauseClient();
    this.#run.progress(bytes.length);
    return 'kept';
  }

  #pauseClient(): void {
    this.#clientPaused = true;
    this.#client.pause();
  }

  #resumeClient(): void {
    if (!this.#clientPaused) return;
    this.#clientPaused = false;
    this.#client.resume();
  }

  /** `end` flushes, sends close_notify on TLS, then FIN. */
  #onClientEnd(): void {
    if (endedByReset(this.#client)) {
      this.#fail('clientGone');
      return;
    }
    this.#clientEnded = true;
    this.#server.stream.end();
  }

  /** Strict servers count the file as whole only if they can still send their own close_notify. */
  #onFlushed(): void {
    if (this.#serverEnded) {
      this.#complete();
      return;
    }
    this.#patience = setTimeout(() => {
      this.#complete();
    }, this.#peerCloseMs);
  }

  #onServerEnd(): void {
    const wentEarly = !this.#clientEnded && !this.#server.mayHalfClose;
    if (wentEarly || !this.#server.endedCalmly()) {
      this.#fail('serverGone');
      return;
    }
    this.#serverEnded = true;
    if (this.#server.stream.writableFinished) this.#complete();
  }

  #onServerClose(): void {
    const isOver = this.#clientEnded && this.#server.stream.writableFinished;
    if (isOver && this.#server.endedCalmly()) this.#complete();
    else this.#fail('serverGone');
  }

  #complete(): void {
    clearTimeout(this.#patience);
    if (!this.#run.settle('complete')) return;
    this.#client.end();
    linger(this.#client, this.#peerCloseMs);
    linger(this.#server.stream, this.#peerCloseMs);
  }

  #discard(stray: Buffer): Taken {
    if (!this.#run.settled && !this.#run.tolerates(stray.length)) this.#fail('serverGone');
    return 'done';
  }

  #fail(kind: OutcomeKind): void {
    clearTimeout(this.#patience);
    if (!this.#run.settle(kind)) return;
    this.#server.reset();
    resetSocket(this.#client);
  }
}
