// The layer between a TCP socket and the TLS client on it. It makes the end of a TLS stream provable: Node reports a bare
// FIN exactly like a close_notify. Here the raw end is passed on only after all bytes that came before it were decrypted;
// so a TLS stream that ends although it was told of no raw end can only have ended by the peer's close_notify. That needs
// no guess about record types and sizes, which padding, tickets and key updates would upset.
import type net from 'node:net';
import { Duplex } from 'node:stream';
import type tls from 'node:tls';
import { endedByReset } from '../sys/socket-error.js';
import { receive } from './bulk-socket.js';

/**
 * `open`: not over yet, or closed by this side. `authenticated`: the peer's close_notify came, whatever TCP did afterwards.
 * `truncated`: a bare FIN. `reset`: TCP broke off, or TLS did by a fatal alert or over a damaged record.
 */
export type Ending = 'open' | 'authenticated' | 'truncated' | 'reset';

/** Encrypted bytes held while TLS does not take them; beyond it the socket is not read. */
const HELD_BYTES = 64 * 1024;

/**
 * The stream to put under `tls.connect({ socket })`; then call `guard` with the TLS stream, before the event loop runs.
 * Owns the raw socket: takes all its bytes, never lets an `error` of it escape, destroys it when destroyed.
 */
export class GuardedTransport extends Duplex {
  readonly #raw: net.Socket;
  readonly #stopReading: () => void;
  readonly #outlastsRaw: boolean;
  #rawEnd: 'fin' | 'reset' | undefined;
  #rawEndDelivered = false;
  #authenticated = false;
  #tlsFailed = false;
  #paused = false;

  /**
   * With `outlastsRaw` the transport goes only with the TLS stream: for connections that read on after their own end, whose last
   * bytes may still wait in the TLS stream when the raw socket is through.
   */
  constructor(raw: net.Socket, options: { readonly outlastsRaw?: boolean } = {}) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: HELD_BYTES,
      autoDestroy: options.outlastsRaw !== true,
    });
    this.#raw = raw;
    this.#outlastsRaw = options.outlastsRaw === true;
    raw.allowHalfOpen = true;
    raw.setNoDelay(true);
    raw.on('error', () => {
      this.#endOfRaw('reset');
    });
    raw.once('end', () => {
      this.#endOfRaw(endedByReset(raw) ? 'reset' : 'fin');
    });
    raw.once('close', () => {
      this.#endOfRaw('reset');
    });
    // Registered before TLS listens, and so called before TLS is told.
    this.once('end', () => {
      this.#rawEndDelivered = true;
    });
    this.on('error', () => undefined);
    this.#stopReading = receive(raw, (bytes) => this.#deliver(bytes));
    if (raw.destroyed) this.#endOfRaw('reset');
    else if (raw.readableEnded) this.#endOfRaw(endedByReset(raw) ? 'reset' : 'fin');
  }

  /** Watches the TLS stream on this transport for the end that only its peer can make. */
  guard(stream: tls.TLSSocket): void {
    const push = stream.push.bind(stream);
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !this.#rawEndDelivered && !stream.destroyed) this.#authenticated = true;
      return push(chunk, encoding);
    };
    stream.on('error', () => {
      this.#tlsFailed = true;
    });
  }

  /** Final once the TLS stream has emitted `end` or `close`. */
  ending(): Ending {
    if (this.#tlsFailed) return 'reset';
    if (this.#authenticated) return 'authenticated';
    if (!this.#rawEndDelivered) return 'open';
    return this.#rawEnd === 'fin' ? 'truncated' : 'reset';
  }

  /** TLS takes the bytes before `push` returns, unless they had to be queued. */
  #deliver(bytes: Buffer): 'done' | 'kept' {
    if (this.#rawEnd !== undefined || this.destroyed) return 'done';
    if (!this.push(bytes)) this.#pause();
    return this.readableLength > 0 ? 'kept' : 'done';
  }

  #pause(): void {
    this.#paused = true;
    this.#raw.pause();
  }

  /** In order behind the bytes that came before it, so that a reset does not swallow a close_notify already received. */
  #endOfRaw(kind: 'fin' | 'reset'): void {
    if (this.#rawEnd !== undefined) return;
    this.#rawEnd = kind;
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#raw.write(chunk, (error) => {
      callback(this.#isMoot() ? null : error);
    });
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    callback: (error?: Error | null) => void,
  ): void {
    const last = chunks.length - 1;
    this.#raw.cork();
    chunks.forEach(({ chunk }, index) => {
      if (index < last) this.#raw.write(chunk);
      else this._write(chunk, 'utf8', callback);
    });
    this.#raw.uncork();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#raw.end((error?: Error | null) => {
      callback(this.#isMoot() ? null : error);
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopReading();
    this.#raw.destroy();
    callback(error);
  }

  /**
   * After the peer's close_notify nothing that fails on the way to it matters, and must not cost what came from it. A transport
   * that outlasts its socket learns of a failure by the socket's end alone: a stream with an error never emits its own.
   */
  #isMoot(): boolean {
    return this.#authenticated || this.#outlastsRaw;
  }
}
