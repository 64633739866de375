// The control connection to the server: the socket, TLS on it, and what its data connections need of it to prove that they
// lead to the same server.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fault } from '../../shared/fault.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import type { TlsVersion } from '../../shared/policy.js';
import type { Event } from '../ftp/events.js';
import { clientContext, type ContextOptions } from './tls-context.js';
import { withoutHost } from './tls-session.js';
import { limitSilence } from './silence-limit.js';
import { secureFromBegin, type Securing } from './data-channel.js';
import { directContext } from './direct/direct-contexts.js';
import { openDirectControl, type DirectControl } from './direct/direct-control.js';
import { openDirectTls } from './direct/direct-tls.js';
import {
  openTls,
  provenPeer,
  type Established,
  type PeerProof,
  type TlsLink,
  type TlsOptions,
} from './tls-client.js';

/** Milliseconds that a closing connection gets to deliver its last bytes. */
export const LINGER_MS = 5_000;
/** Milliseconds from dialling a data port to TLS on it: servers begin only when the client names the file. */
const DATA_HANDSHAKE_MS = 300_000;

export interface ServerControlOptions {
  /** The server as sessions are kept for it: its address. */
  readonly host: string;
  readonly minVersion: TlsVersion;
  /** PEM certificates of authorities that are trusted besides the machine's. */
  readonly authorities?: string | undefined;
  /** Events of the server's side, in order. */
  readonly onEvent: (event: Event) => void;
  readonly onDrain: () => void;
}

/** At most one connection at a time; after `drop` no event of the dropped one comes any more. */
export class ServerControl {
  readonly #options: ServerControlOptions;
  #socket: Socket | undefined;
  #link: TlsLink | DirectControl | undefined;
  #localAddress: string | undefined;
  #fingerprint: KeyFingerprint | undefined;
  #servername: string | undefined;
  #generation = 0;
  /** Stops listening to the socket or the TLS stream. */
  #unwatch: () => void = () => undefined;

  constructor(options: ServerControlOptions) {
    this.#options = options;
  }

  /** What is written to and read from now; undefined without a connection. */
  get stream(): Duplex | undefined {
    return this.#link?.stream ?? this.#socket;
  }

  /** This machine's address on the connection. */
  get localAddress(): string | undefined {
    return this.#localAddress;
  }

  /** Takes the connection over when it stands; answers with serverConnected or serverFailed. */
  connect(dialled: Promise<Socket>): void {
    const generation = this.#generation;
    dialled.then(
      (socket) => {
        if (generation !== this.#generation) {
          socket.destroy();
          return;
        }
        limitSilence(socket);
        this.#socket = socket;
        this.#localAddress = socket.localAddress;
        this.#watch(socket);
        this.#options.onEvent({ kind: 'serverConnected' });
      },
      (error: unknown) => {
        if (generation !== this.#generation) return;
        this.#options.onEvent({ kind: 'serverFailed', reason: Fault.from(error).userMessage });
      },
    );
  }

  send(bytes: Uint8Array): void {
    if (this.stream?.writable === true) this.stream.write(bytes);
  }

  /** Answers with tlsEstablished or tlsFailed. */
  startTls(servername: string | undefined): void {
    const raw = this.#socket;
    if (raw === undefined) return;
    // Paused before TLS takes over: a byte that arrived in clear must never be read as one that came inside.
    raw.pause();
    this.#unwatch();
    this.#servername = servername;
    const { host, minVersion, authorities } = this.#options;
    const options: TlsOptions = { servername, host, minVersion, furtherAuthorities: authorities };
    const link = openDirectControl(raw, options) ?? openTls(raw, options);
    this.#link = link;
    link.established.then(
      (established) => {
        if (this.#link === link) this.#onEstablished(link, established);
      },
      (error: unknown) => {
        if (this.#link !== link) return;
        this.#options.onEvent({ kind: 'tlsFailed', reason: Fault.from(error).userMessage });
      },
    );
  }

  #onEstablished(link: TlsLink | DirectControl, established: Established): void {
    if (established.kind === 'resumed') {
      this.#options.onEvent({ kind: 'tlsFailed', reason: 'it resumed a session that was never there' });
      return;
    }
    const { identity } = established;
    this.#fingerprint = parseFingerprint(identity.fingerprint);
    this.#watch(link.stream);
    this.#options.onEvent({ kind: 'tlsEstablished', identity });
  }

  /** A data connection must prove that it leads to the same server: by resuming its session, or by its key. */
  secureLeg(raw: Socket): Securing {
    const { host, minVersion } = this.#options;
    const link = this.#link;
    const options = {
      servername: this.#servername,
      minVersion,
      group: link?.group(),
      handshakeMs: DATA_HANDSHAKE_MS,
    };
    const session = link !== undefined && 'newestSession' in link ? link.newestSession() : undefined;
    const der = session === undefined ? undefined : withoutHost(session);
    const shared = link !== undefined && 'session' in link ? link.session() : der;
    const direct = openDirectTls(raw, { ...options, session: shared });
    if (direct === undefined) {
      const more = { host, session, vouching: 'none' } as const;
      return secureFromBegin(async () => this.#proven(await openStream(raw, { ...options, ...more })));
    }
    return { secured: direct.link.then((link) => this.#proven(link)), begin: direct.begin };
  }

  #proven<Link extends PeerProof & { readonly reset: () => void }>(link: Link): Link {
    if (this.#fingerprint !== undefined && provenPeer(link, this.#fingerprint)) return link;
    link.reset();
    throw new Fault('network', 'the data connection did not prove to lead to the same server');
  }

  /** Hands the raw socket over, for a tunnel; this object is done with it. */
  release(): Socket | undefined {
    const socket = this.#socket;
    this.#unwatch();
    this.#socket = undefined;
    return socket;
  }

  /** Ends the connection without a word, or the wait for one. */
  drop(): void {
    const { stream } = this;
    this.#generation += 1;
    this.#unwatch();
    this.#link = undefined;
    this.#socket = undefined;
    if (stream === undefined) return;
    stream.end();
    stream.resume();
    setTimeout(() => stream.destroy(), LINGER_MS).unref();
  }

  #watch(socket: Duplex): void {
    const onData = (bytes: Buffer): void => {
      this.#options.onEvent({ kind: 'serverBytes', bytes });
    };
    const onOver = (how: 'ended' | 'reset'): void => {
      this.#unwatch();
      const cut = this.#link?.stream === socket && this.#link.ending() !== 'authenticated';
      this.#options.onEvent({ kind: 'serverClosed', how: how === 'ended' && cut ? 'truncated' : how });
    };
    const onEnded = (): void => {
      onOver('ended');
    };
    const onReset = (): void => {
      onOver('reset');
    };
    const { onDrain } = this.#options;
    socket.on('data', onData).on('drain', onDrain);
    socket.on('error', onReset).on('end', onEnded).on('close', onReset);
    this.#unwatch = () => {
      this.#unwatch = () => undefined;
      socket.on('error', () => undefined);
      socket.off('data', onData).off('drain', onDrain);
      socket.off('error', onReset).off('end', onEnded).off('close', onReset);
    };
    socket.resume();
  }
}

/** Makes what every control connection with these options needs, so that the first one need not wait for it. */
export function prepareControl(options: ContextOptions): void {
  if (directContext(options) === undefined) clientContext(options);
}

async function openStream(raw: Socket, options: TlsOptions): Promise<TlsLink> {
  const link = openTls(raw, options);
  await link.established;
  return link;
}
