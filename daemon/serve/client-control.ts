// The control connection to the client: the socket, and TLS on it once the client has asked for it.
import type { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import { LINGER_MS } from '../relay/server-control.js';
import { KEEP_ALIVE_MS } from '../relay/silence-limit.js';
import { resetSocket } from '../relay/reset-socket.js';
import { acceptTls, type AcceptedTls, type ClientProof, type TlsTerms } from './tls-server.js';

export interface ClientControlOptions {
  readonly socket: Socket;
  readonly onBytes: (bytes: Buffer) => void;
  readonly onSecured: (proof: ClientProof) => void;
  /** The client will say no more; `lost` if it can't hear any more either. Called once. */
  readonly onClosed: (how: 'ended' | 'lost', reason: string) => void;
  readonly onDrain: () => void;
}

/** Owns the socket. After `close` nothing is reported any more. */
export class ClientControl {
  readonly #options: ClientControlOptions;
  #tls: AcceptedTls | undefined;
  #isWatched = false;
  #unwatch: () => void = () => undefined;

  constructor(options: ClientControlOptions) {
    this.#options = options;
  }

  /** What is written to and read from now. */
  get stream(): Socket {
    return this.#tls?.stream ?? this.#options.socket;
  }

  start(): void {
    const { socket } = this.#options;
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    this.#watch(socket);
  }

  send(bytes: Uint8Array): void {
    if (this.stream.writable) this.stream.write(bytes);
  }

  /** Answers with onSecured or onClosed. */
  secure(terms: TlsTerms): void {
    const { socket, onSecured, onClosed } = this.#options;
    // Paused before TLS takes over: a byte that arrived in clear must never be read as one that came inside.
    socket.pause();
    this.#unwatch();
    const accepted = acceptTls(socket, terms);
    this.#tls = accepted;
    let over = false;
    this.#unwatch = () => {
      over = true;
    };
    accepted.established.then(
      (proof) => {
        if (over) return;
        if (accepted.stream.destroyed) {
          onClosed('lost', 'the client closed the connection');
          return;
        }
        this.#watch(accepted.stream);
        onSecured(proof);
      },
      (error: unknown) => {
        if (!over) onClosed('lost', Fault.from(error).userMessage);
      },
    );
  }

  /** Delivers what was sent, then ends. */
  close(): void {
    const { stream } = this;
    this.#unwatch();
    stream.on('error', () => undefined);
    stream.end();
    stream.resume();
    setTimeout(() => stream.destroy(), LINGER_MS).unref();
  }

  /** Breaks off, so that the client can't take it for a regular end. */
  reset(): void {
    this.#unwatch();
    this.stream.on('error', () => undefined);
    if (this.#tls === undefined) resetSocket(this.#options.socket);
    else this.#tls.reset();
  }

  /** Whether the client is read; during a handshake that is TLS's own matter. */
  setReading(wanted: boolean): void {
    const { stream } = this;
    if (!this.#isWatched || wanted !== stream.isPaused()) return;
    if (wanted) stream.resume();
    else stream.pause();
  }

  #watch(socket: Socket): void {
    const { onBytes, onClosed, onDrain } = this.#options;
    const onEnded = (): void => {
      this.#unwatch();
      onClosed('ended', 'the client closed the connection');
    };
    const onLost = (): void => {
      this.#unwatch();
      onClosed('lost', 'the connection to the client broke off');
    };
    socket.on('data', onBytes).on('drain', onDrain);
    socket.on('error', onLost).on('end', onEnded).on('close', onLost);
    this.#isWatched = true;
    this.#unwatch = () => {
      this.#isWatched = false;
      this.#unwatch = () => undefined;
      socket.on('error', () => undefined);
      socket.off('data', onBytes).off('drain', onDrain);
      socket.off('error', onLost).off('end', onEnded).off('close', onLost);
    };
    socket.resume();
  }
}
