// A data connection whose data goes in protected blocks (X-SafeTP1), as a stream of plain text. Its end is proven by a block of its
// own: a FIN without that block is a cut, and so is anything behind it.
import type net from 'node:net';
import { Duplex } from 'node:stream';
import type { DataProtection, DataReader, DataWriter } from '../security/mechanism.js';
import { endedByReset } from '../sys/socket-error.js';
import { receive } from './bulk-socket.js';
import type { Ending } from './guarded-transport.js';
import { resetSocket } from './reset-socket.js';
import type { ProvableStream } from './server-leg.js';

/** Plain bytes held while nobody takes them; beyond it the socket is not read. */
const HELD_BYTES = 64 * 1024;

export interface BlockLinkOptions {
  readonly blocks: DataProtection;
  /** Only an upload is ended by a block of ours. */
  readonly direction: 'download' | 'upload';
}

/** Takes over a connected socket that nobody has read; it owns the socket from here on. */
export function openBlocks(raw: net.Socket, options: BlockLinkOptions): ProvableStream {
  const stream = new BlockStream(raw, options);
  return {
    stream,
    ending: () => stream.ending,
    reset: () => {
      resetSocket(raw);
      stream.destroy();
    },
  };
}

class BlockStream extends Duplex {
  readonly #raw: net.Socket;
  readonly #reader: DataReader;
  readonly #writer: DataWriter;
  readonly #uploads: boolean;
  readonly #stopReading: () => void;
  #ending: Ending = 'open';
  #over = false;
  #paused = false;

  constructor(raw: net.Socket, { blocks, direction }: BlockLinkOptions) {
    super({ allowHalfOpen: true, readableHighWaterMark: HELD_BYTES });
    this.#raw = raw;
    this.#reader = blocks.reader();
    this.#writer = blocks.writer();
    this.#uploads = direction === 'upload';
    raw.allowHalfOpen = true;
    raw.setNoDelay(true);
    raw.on('error', () => {
      this.#onOver('reset');
    });
    raw.once('end', () => {
      this.#onOver(endedByReset(raw) ? 'reset' : 'fin');
    });
    raw.once('close', () => {
      this.#onOver('reset');
    });
    this.on('error', () => undefined);
    this.#stopReading = receive(raw, (bytes) => this.#take(bytes));
    if (raw.destroyed) this.#onOver('reset');
    else if (raw.readableEnded) this.#onOver(endedByReset(raw) ? 'reset' : 'fin');
  }

  /** Final once `end` or `close` was emitted. */
  get ending(): Ending {
    return this.#ending;
  }

  #take(bytes: Buffer): 'done' | 'kept' {
    if (this.#over || this.destroyed) return 'done';
    const read = this.#reader.push(bytes);
    for (const data of read.data) if (!this.push(data)) this.#pause();
    if (read.kind === 'broken') this.#onOver('reset');
    // The reader copied what it needs.
    return 'done';
  }

  #pause(): void {
    this.#paused = true;
    this.#raw.pause();
  }

  #onOver(how: 'fin' | 'reset'): void {
    if (this.#over) return;
    this.#over = true;
    if (how === 'fin') this.#ending = this.#reader.ended ? 'authenticated' : 'truncated';
    else this.#ending = 'reset';
    if (!this.destroyed) this.push(null);
  }

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send(this.#writer.write(chunk), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    const last = this.#uploads ? Buffer.concat(this.#writer.end()) : Buffer.alloc(0);
    this.#raw.end(last, () => {
      callback();
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stopReading();
    this.#raw.destroy();
    callback(error);
  }

  #send(parts: readonly Buffer[], callback: (error?: Error | null) => void): void {
    const last = parts.length - 1;
    if (last < 0) {
      callback();
      return;
    }
    this.#raw.cork();
    parts.forEach((part, index) => {
      if (index < last) this.#raw.write(part);
      else this.#raw.write(part, callback);
    });
    this.#raw.uncork();
  }
}
