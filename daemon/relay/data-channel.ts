// One data channel: the client's leg, the server's leg, and the transfer between them. It carries out what the core asked
// (effects) and reports what happened (events); it decides only when both legs stand.
import { Socket } from 'node:net';
import type { LegProtection } from '../ftp/effects.js';
import type { ChannelOutcome } from '../ftp/events.js';
import type { Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { SourcePorts } from '../sys/source-ports.js';
import type { ChannelReports } from './channel-reports.js';
import type { ClientDataPorts, DataOwner } from './client-data-ports.js';
import { pump } from './data-pump.js';
import type { DirectLink } from './direct/direct-tls.js';
import { LegOpenings } from './leg-openings.js';
import { resetSocket } from './reset-socket.js';
import type { ProvableStream } from './server-leg.js';
import { StallWatch } from './stall-watch.js';
import { dialDataFrom } from './upstream.js';

/** Milliseconds for a leg to stand after the transfer was accepted; servers themselves give a client 60 s. */
const LEG_MS = 60_000;
/** Milliseconds that a server gets to accept a transfer before TLS begins without its word. */
const SECURE_ANYWAY_MS = 500;

/** How a leg towards the server is secured; made by the session driver from its control connection. */
export type SecuredLeg = ProvableStream | DirectLink;
export type SecureLeg = (raw: Socket) => Securing;

/** A leg towards the server on the way to being secured. */
export interface Securing {
  readonly secured: Promise<SecuredLeg>;
  /** The server may see it from now on; nothing of it is seen before, and no failure. Idempotent. */
  readonly begin: () => void;
}

/** For what can't be prepared: all of it happens from `begin` on. */
export function secureFromBegin(secure: () => Promise<SecuredLeg>): Securing {
  let begin: (() => void) | undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  return { secured: begun.then(secure), begin: () => begin?.() };
}

export interface DataChannelOptions extends ChannelReports {
  readonly owner: DataOwner;
  readonly ports: ClientDataPorts;
  readonly secure: SecureLeg;
  /** Where connections to the server come from; undefined: any port. */
  readonly sourcePorts: SourcePorts | undefined;
  /** This machine's address on the control connection to the server, for active mode. */
  readonly upstreamAddress: () => string | undefined;
  readonly onBytes: (count: number, direction: 'download' | 'upload') => void;
}

/** Owns every socket it makes or is handed. After `discard` it is dead and reports nothing. */
export class DataChannel {
  readonly #options: DataChannelOptions;
  readonly #openings: LegOpenings;
  #client: Socket | undefined;
  #server: Socket | SecuredLeg | undefined;
  #rawServer: Socket | undefined;
  #unsecured: Socket | undefined;
  #securing: Securing | undefined;
  #direction: 'download' | 'upload' | undefined;
  #pumping = false;
  #over = false;
  #moved = 0;
  #legTimer: NodeJS.Timeout | undefined;
  readonly #stall = new StallWatch();
  #secureTimer: NodeJS.Timeout | undefined;

  constructor(options: DataChannelOptions) {
    this.#options = options;
    this.#openings = new LegOpenings({
      owner: options.owner,
      ports: options.ports,
      clientIs: 'this program',
      dialServer: (to) => dialDataFrom(options.sourcePorts, to),
      localAddress: options.upstreamAddress,
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

  connectServer(to: Endpoint, protection: LegProtection): void {
    this.#dropServer();
    this.#openings.connectServer(to, (socket) => {
      this.#takeServer(socket, protection);
    });
  }

  /** Active mode towards the server: it connects to us, from its own address. */
  listenForServer(protection: LegProtection): void {
    this.#dropServer();
    this.#openings.listenForServer((socket) => {
      this.#takeServer(socket, protection);
    });
  }

  /** The transfer was asked for: TLS begins with the server's answer, or after a moment without one. */
  secureSoon(): void {
    clearTimeout(this.#secureTimer);
    this.#secureTimer = setTimeout(() => {
      this.#secureServer();
    }, SECURE_ANYWAY_MS);
    this.#prepareServer();
  }

  /** Moves the bytes as soon as both legs stand; `onSettled` follows exactly once. */
  relay(direction: 'download' | 'upload'): void {
    this.#direction = direction;
    this.#legTimer = setTimeout(() => {
      const leg = this.#client === undefined ? 'client' : 'server';
      this.#settle({ kind: 'legFailed', leg, reason: `the ${leg} did not open it` });
    }, LEG_MS);
    this.#secureServer();
    this.#pumpWhenReady();
  }

  /** From now on a pause in the stream means that its end was lost. */
  expectEnd(): void {
    if (this.#over) return;
    this.#stall.start(
      () => `${this.#moved}/${this.#client?.writableLength ?? 0}`,
      () => {
        this.#settle(
          this.#pumping
            ? { kind: 'truncated', bytes: this.#moved }
            : { kind: 'legFailed', leg: 'server', reason: 'it was never used by the server' },
        );
      },
    );
  }

  /** Drops everything. A leg that still carries a transfer is reset, so that its peer can't take it for complete. */
  discard(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    if (this.#client !== undefined) resetSocket(this.#client);
    this.#dropServer();
  }

  #takeClient(socket: Socket): void {
    if (this.#over || this.#pumping) {
      socket.destroy();
      return;
    }
    // A client that comes back after a refused transfer replaces its first connection.
    this.#client?.destroy();
    this.#client = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    this.#options.onClientConnected();
    this.#pumpWhenReady();
  }

  #takeServer(raw: Socket, protection: LegProtection): void {
    if (this.#over) {
      raw.destroy();
      return;
    }
    this.#rawServer = raw;
    raw.on('error', () => undefined);
    raw.once('close', () => {
      if (!this.#pumping && this.#rawServer === raw) this.#failLeg('server', 'the server closed it');
    });
    if (protection === 'clear') {
      this.#server = raw;
      this.#pumpWhenReady();
      return;
    }
    this.#unsecured = raw;
    if (this.#direction !== undefined) this.#secureServer();
    else if (this.#secureTimer !== undefined) this.#prepareServer();
  }

  /**
   * Not before the transfer command has reached the server: pyftpdlib and others take a ClientHello that comes first for a
   * broken connection.
   */
  #secureServer(): void {
    this.#prepareServer();
    this.#securing?.begin();
  }

  /** Everything up to the first byte: its keys are made while the server looks for the file. */
  #prepareServer(): void {
    const raw = this.#unsecured;
    if (raw === undefined) return;
    this.#unsecured = undefined;
    this.#securing = this.#options.secure(raw);
    this.#securing.secured.then(
      (link) => {
        if (this.#over || this.#rawServer !== raw) return;
        this.#server = link;
        this.#pumpWhenReady();
      },
      (error: unknown) => {
        raw.destroy();
        if (this.#rawServer === raw) this.#failLeg('server', Fault.from(error).userMessage);
      },
    );
  }

  #pumpWhenReady(): void {
    const direction = this.#direction;
    if (direction === undefined || this.#client === undefined || this.#server === undefined || this.#pumping)
      return;
    this.#pumping = true;
    clearTimeout(this.#legTimer);
    const onBytes = (count: number): void => {
      this.#moved += count;
      this.#options.onBytes(count, direction);
    };
    pump({ client: this.#client, server: this.#server, direction, onBytes }).then(
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
    if (leg === 'server') this.#dropServer();
    if (this.#direction !== undefined) {
      this.#settle({ kind: 'legFailed', leg, reason });
      return;
    }
    this.#options.onFailed(leg, reason);
  }

  #settle(outcome: ChannelOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    if (outcome.kind !== 'complete') {
      if (this.#client !== undefined) resetSocket(this.#client);
      this.#dropServer();
    }
    this.#options.onSettled(outcome);
  }

  #release(): void {
    clearTimeout(this.#secureTimer);
    clearTimeout(this.#legTimer);
    this.#stall.stop();
    this.#openings.close();
  }

  #dropServer(): void {
    const raw = this.#rawServer;
    const server = this.#server;
    this.#server = undefined;
    this.#rawServer = undefined;
    this.#unsecured = undefined;
    this.#securing = undefined;
    this.#openings.stopListening();
    if (raw === undefined) return;
    const link = server instanceof Socket ? undefined : server;
    if (this.#pumping && link !== undefined) link.reset();
    else if (this.#pumping) resetSocket(raw);
    else if (link === undefined || 'end' in link) raw.destroy();
    else link.stream.destroy();
  }
}
