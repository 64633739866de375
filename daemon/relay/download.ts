// A transfer from the server to the client.
import type net from 'node:net';
import type { DataOutcome } from '../ftp/data-outcome.js';
import { receive, type Taken } from './bulk-socket.js';
import { resetSocket } from './reset-socket.js';
import type { ServerLeg } from './server-leg.js';
import { isFull, linger, PEER_CLOSE_MS, TransferRun, type OutcomeKind } from './transfer-run.js';

export interface Legs {
  readonly client: net.Socket;
  readonly server: ServerLeg;
}

export interface RunOptions {
  readonly onBytes: (count: number) => void;
  readonly stallMs?: number | undefined;
  readonly peerCloseMs?: number | undefined;
}

export class Download {
  readonly #client: net.Socket;
  readonly #server: ServerLeg;
  readonly #run: TransferRun;
  readonly #peerCloseMs: number;
  #serverEnded = false;
  #serverPaused = false;
  #corkedBytes = 0;

  constructor(legs: Legs, options: RunOptions, resolve: (outcome: DataOutcome) => void) {
    this.#client = legs.client;
    this.#server = legs.server;
    this.#peerCloseMs = options.peerCloseMs ?? PEER_CLOSE_MS;
    this.#run = new TransferRun({
      onBytes: options.onBytes,
      resolve,
      stallMs: options.stallMs,
      onStall: () => {
        this.#fail(this.#serverEnded || this.#serverPaused ? 'clientGone' : 'truncated');
      },
    });
  }

  start(): void {
    const client = this.#client;
    const { stream } = this.#server;
    this.#run.on(stream, 'end', () => {
      this.#onServerEnd();
    });
    this.#run.on(stream, 'close', () => {
      this.#onServerClose();
    });
    this.#run.on(client, 'drain', () => {
      this.#resumeServer();
    });
    this.#run.on(client, 'finish', () => {
      this.#onFlushed();
    });
    this.#run.on(client, 'close', () => {
      this.#fail('clientGone');
    });
    if (client.destroyed) {
      this.#fail('clientGone');
      return;
    }
    receive(client, (bytes) => this.#discard(bytes));
    receive(stream, (bytes) => this.#take(bytes));
    if (stream.readableEnded) this.#onServerEnd();
    else if (stream.destroyed) this.#onServerClose();
  }

  /** All records of one read come in one turn: gathered, they go out in one system call. */
  #take(bytes: Buffer): Taken {
    if (this.#run.settled) return 'done';
    if (this.#corkedBytes === 0) {
      this.#client.cork();
      process.nextTick(() => {
        this.#flush();
      });
    }
    this.#corkedBytes += bytes.length;
    this.#client.write(bytes);
    return 'kept';
  }

  #flush(): void {
    const count = this.#corkedBytes;
    if (count === 0 || this.#run.settled) return;
    this.#corkedBytes = 0;
    this.#client.uncork();
    if (isFull(this.#client)) this.#pauseServer();
    this.#run.progress(count);
  }

  #pauseServer(): void {
    this.#serverPaused = true;
    this.#server.stream.pause();
  }

  #resumeServer(): void {
    if (!this.#serverPaused) return;
    this.#serverPaused = false;
    this.#server.stream.resume();
  }

  #onServerEnd(): void {
    if (!this.#server.endedWhole()) {
      this.#fail('truncated');
      return;
    }
    this.#serverEnded = true;
    this.#server.stream.end();
    this.#flush();
    this.#client.end();
  }

  #onServerClose(): void {
    if (!this.#serverEnded) this.#fail('truncated');
  }

  #onFlushed(): void {
    if (!this.#run.settle('complete')) return;
    linger(this.#client, this.#peerCloseMs);
    linger(this.#server.stream, this.#peerCloseMs);
  }

  #discard(stray: Buffer): Taken {
    if (!this.#run.settled && !this.#run.tolerates(stray.length)) this.#fail('clientGone');
    return 'done';
  }

  #fail(kind: OutcomeKind): void {
    if (!this.#run.settle(kind)) return;
    this.#server.reset();
    resetSocket(this.#client);
  }
}
