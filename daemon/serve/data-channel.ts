// One data channel of the server proxy: the client's leg, protected or not, the backend's leg in clear, and the transfer between
// them. It carries out what the session asked and reports what happened.
import type { Socket } from 'node:net';
import type { Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { LegProtection } from '../ftp/effects.js';
import type { ChannelOutcome } from '../ftp/events.js';
import type { ChannelReports } from '../relay/channel-reports.js';
import type { ClientDataPorts, DataOwner } from '../relay/client-data-ports.js';
import { LegOpenings } from '../relay/leg-openings.js';
import { resetSocket } from '../relay/reset-socket.js';
import type { ProvableStream } from '../relay/server-leg.js';
import { StallWatch } from '../relay/stall-watch.js';
import { dialData } from '../relay/upstream.js';
import { runTransfer } from './transfer.js';

/** Milliseconds for the client's leg to stand after the transfer was accepted; servers themselves give a client 60 s. */
const LEG_MS = 60_000;

export interface ServeChannelOptions extends ChannelReports {
  readonly owner: DataOwner;
  readonly ports: ClientDataPorts;
  /** Secures the client's leg; rejects with a Fault if it does not prove to belong to the control connection. */
  readonly secure: (raw: Socket) => Promise<ProvableStream>;
  /** This machine's address on the control connection to the backend. */
  readonly backendAddress: () => string | undefined;
}

interface Asked {
  readonly direction: 'download' | 'upload';
  readonly protection: LegProtection;
}

/** Owns every socket it makes or is handed. After `discard` it is dead and reports nothing. */
export class ServeChannel {
  readonly #options: ServeChannelOptions;
  readonly #openings: LegOpenings;
  #client: Socket | undefined;
  #secured: ProvableStream | undefined;
  #securing = false;
  #backend: Socket | undefined;
  #asked: Asked | undefined;
  #running = false;
  #over = false;
  #moved = 0;
  #legTimer: NodeJS.Timeout | undefined;
  readonly #stall = new StallWatch();

  constructor(options: ServeChannelOptions) {
    this.#options = options;
    this.#openings = new LegOpenings({
      owner: options.owner,
      ports: options.ports,
      clientIs: 'your program',
      dialServer: (to) => dialData(to),
      localAddress: options.backendAddress,
      reports: options,
      onClient: (socket) => {
        this.#takeClient(socket);
      },
      onFailed: (leg, reason) => {
        this.#failLeg(leg, reason);
      },
    });
  }

  listenForClient(): void {
    this.#openings.listenForClient();
  }

  connectClient(to: Endpoint): void {
    this.#openings.connectClient(to);
  }

  connectServer(to: Endpoint): void {
    this.#dropBackend();
    this.#openings.connectServer(to, (socket) => {
      this.#takeBackend(socket);
    });
  }

  /** Active mode towards the backend: it connects to us, from its own address. */
  listenForServer(): void {
    this.#dropBackend();
    this.#openings.listenForServer((socket) => {
      this.#takeBackend(socket);
    });
  }

  /** Moves the bytes as soon as both legs stand; `onSettled` follows exactly once. */
  relay(direction: 'download' | 'upload', protection: LegProtection): void {
    this.#asked = { direction, protection };
    this.#legTimer = setTimeout(() => {
      const leg = this.#isClientReady ? 'server' : 'client';
      this.#settle({ kind: 'legFailed', leg, reason: `the ${leg} did not open it` });
    }, LEG_MS);
    this.#proceed();
  }

  /** From now on a pause in the stream means that its end was lost. */
  expectEnd(): void {
    if (this.#over) return;
    this.#stall.start(
      () => `${this.#moved}/${(this.#secured?.stream ?? this.#client)?.writableLength ?? 0}`,
      () => {
        this.#settle(
          this.#running
            ? { kind: 'truncated', bytes: this.#moved }
            : { kind: 'legFailed', leg: 'client', reason: 'the client did not open it' },
        );
      },
    );
  }

  /** Drops everything. Legs of a transfer are reset, so that neither side can take what it has for a whole file. */
  discard(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    this.#dropClient();
    this.#dropBackend();
  }

  get #isClientReady(): boolean {
    return this.#asked?.protection === 'private' ? this.#secured !== undefined : this.#client !== undefined;
  }

  #takeClient(socket: Socket): void {
    if (this.#over || this.#running || this.#securing) {
      socket.destroy();
      return;
    }
    // A client that comes back after a refused transfer replaces its first connection.
    this.#client?.destroy();
    this.#client = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    this.#options.onClientConnected();
    this.#proceed();
  }

  #takeBackend(socket: Socket): void {
    if (this.#over) {
      socket.destroy();
      return;
    }
    this.#backend = socket;
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (!this.#running && this.#backend === socket) this.#failLeg('server', 'the server closed it');
    });
    this.#proceed();
  }

  #proceed(): void {
    const { asked, client } = { asked: this.#asked, client: this.#client };
    if (asked === undefined || client === undefined || this.#over) return;
    if (asked.protection === 'private' && this.#secured === undefined) this.#secureClient(client);
    else this.#runWhenReady(asked, client);
  }

  /** When the backend has accepted the transfer: what the client sent before that waits in the socket. */
  #secureClient(client: Socket): void {
    if (this.#securing) return;
    this.#securing = true;
    this.#options.secure(client).then(
      (secured) => {
        if (this.#over) {
          secured.reset();
          return;
        }
        this.#secured = secured;
        this.#proceed();
      },
      (error: unknown) => {
        this.#failLeg('client', Fault.from(error).userMessage);
      },
    );
  }

  #runWhenReady({ direction }: Asked, client: Socket): void {
    if (this.#backend === undefined || this.#running) return;
    this.#running = true;
    clearTimeout(this.#legTimer);
    const onBytes = (count: number): void => {
      this.#moved += count;
    };
    runTransfer({ client: this.#secured ?? client, backend: this.#backend, direction, onBytes }).then(
      (outcome) => {
        this.#settle(outcome);
      },
      (error: unknown) => {
        this.#settle({ kind: 'legFailed', leg: 'server', reason: Fault.from(error).userMessage });
      },
    );
  }

  #failLeg(leg: 'client' | 'server', reason: string): void {
    if (this.#over) return;
    if (this.#asked !== undefined) {
      this.#settle({ kind: 'legFailed', leg, reason });
      return;
    }
    if (leg === 'server') this.#dropBackend();
    this.#options.onFailed(leg, reason);
  }

  #settle(outcome: ChannelOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    if (outcome.kind !== 'complete') {
      this.#dropClient();
      this.#dropBackend();
    }
    this.#options.onSettled(outcome);
  }

  #release(): void {
    clearTimeout(this.#legTimer);
    this.#stall.stop();
    this.#openings.close();
  }

  #dropClient(): void {
    if (this.#secured !== undefined) this.#secured.reset();
    else if (this.#client !== undefined) resetSocket(this.#client);
  }

  /**
   * Reset, for a plain end of the stream is the end of a file to a backend that waits for one. One that nothing was asked
   * of yet is only closed.
   */
  #dropBackend(): void {
    const backend = this.#backend;
    this.#backend = undefined;
    this.#openings.stopListening();
    if (backend === undefined) return;
    if (this.#asked === undefined) backend.destroy();
    else resetSocket(backend);
  }
}
