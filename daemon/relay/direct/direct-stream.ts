// The plain text of a direct TLS connection as a stream: for the control connection, whose few bytes the session reads.
import { Duplex } from 'node:stream';
import type { Waiting } from '../../sys/tls-descriptor.js';
import { NativeBuffer } from '../../sys/native-buffer.js';
import type { Ending } from '../guarded-transport.js';
import type { DirectEnd } from './direct-end.js';

/** Bytes held for a reader that does not take them; beyond it the connection is not read. */
const HELD_BYTES = 64 * 1024;

/** What is read and written passes through here, between two lines of one function and never longer. */
const passing = new NativeBuffer(64 * 1024);

/** Records, after which other connections of the thread have their turn. */
const READS_A_TURN = 64;

interface Writing {
  readonly bytes: Buffer;
  at: number;
  readonly done: (error?: Error | null) => void;
}

/**
 * Owns the end from `attach` on. Nothing is read before somebody wants it. It never ends its own side by itself: `end` says close_notify and FIN, `destroy`
 * closes. A connection that breaks emits `error` and `close`.
 */
export class DirectStream extends Duplex {
  readonly #end: DirectEnd;
  #isAttached = false;
  #isWanted = false;
  #readWaits: Waiting | undefined;
  #writeWaits: Waiting | undefined;
  #ending: Ending = 'open';
  #writing: Writing | undefined;
  #next: NodeJS.Immediate | undefined;
  #finishing: ((error?: Error | null) => void) | undefined;

  constructor(end: DirectEnd) {
    super({ allowHalfOpen: true, readableHighWaterMark: HELD_BYTES, writableHighWaterMark: HELD_BYTES });
    this.#end = end;
  }

  /** The handshake is done: from now on the end is this stream's. */
  attach(): void {
    if (this.destroyed) return;
    this.#isAttached = true;
    this.#end.use({
      onReady: ({ readable, writable }) => {
        // What TLS waits for on TCP is not what its user wants: either may let both go on.
        if (readable || writable) this.#goOn();
      },
      onGone: () => this.destroy(),
    });
    this.#goOn();
  }

  /** How the peer ended; final once the stream has emitted `end` or `close`. */
  ending(): Ending {
    return this.#ending;
  }

  override _read(): void {
    this.#isWanted = true;
    if (!this.#isAttached) return;
    this.#pull();
    this.#wait();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#writing = { bytes: chunk, at: 0, done };
    this.#flush();
    this.#wait();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finishing = done;
    this.#finish();
    this.#wait();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearImmediate(this.#next);
    this.#end.close();
    done(error);
  }

  #goOn(): void {
    this.#readWaits = undefined;
    this.#writeWaits = undefined;
    // What came before the end counts, also if there is nobody any more to write to.
    this.#pull();
    this.#flush();
    this.#finish();
    this.#wait();
  }

  #pull(): void {
    const isOver = (): boolean => this.destroyed || this.#ending !== 'open';
    for (let reads = 0; this.#isWanted && this.#readWaits === undefined && !isOver(); reads += 1) {
      if (reads === READS_A_TURN) {
        this.#next ??= setImmediate(() => {
          this.#next = undefined;
          this.#goOn();
        });
        return;
      }
      const received = this.#end.bytes.receive(passing, 0, passing.size);
      if (typeof received === 'number') this.#isWanted = this.push(Buffer.from(passing.view(0, received)));
      else if (received === 'waitsToRead' || received === 'waitsToWrite') this.#readWaits = received;
      else this.#onEnd(received);
    }
  }

  #onEnd(how: 'ended' | 'cut' | 'broken'): void {
    if (how === 'broken') {
      this.#fail();
      return;
    }
    this.#ending = how === 'ended' ? 'authenticated' : 'truncated';
    this.push(null);
  }

  #flush(): void {
    const writing = this.#writing;
    while (writing !== undefined && this.#writing === writing && this.#writeWaits === undefined) {
      const portion = writing.bytes.subarray(writing.at, writing.at + passing.size);
      passing.view(0, portion.length).set(portion);
      const sent = portion.length === 0 ? 0 : this.#end.bytes.send(passing, 0, portion.length);
      if (typeof sent === 'number') writing.at += sent;
      else if (sent === 'broken') {
        this.#writing = undefined;
        this.#fail(writing.done);
        return;
      } else this.#writeWaits = sent;
      if (writing.at < writing.bytes.length) continue;
      this.#writing = undefined;
      writing.done();
    }
    // What broke shows to the next one who reads or writes.
    const flushed = this.#writeWaits === undefined && !this.destroyed ? this.#end.bytes.flush() : 'done';
    if (flushed === 'waitsToRead' || flushed === 'waitsToWrite') this.#writeWaits = flushed;
  }

  #finish(): void {
    const finishing = this.#finishing;
    if (finishing === undefined || this.#writeWaits !== undefined) return;
    const said = this.#end.bytes.finish();
    if (said === 'waitsToRead' || said === 'waitsToWrite') {
      this.#writeWaits = said;
      return;
    }
    this.#finishing = undefined;
    // A peer that is gone needs no last word; what it said before its end counts.
    finishing();
  }

  #wait(): void {
    if (this.destroyed || !this.#isAttached) return;
    const isReading = this.#isWanted && this.#ending === 'open';
    const waits = [isReading ? this.#readWaits : undefined, this.#writeWaits];
    const [reads, writes] = [waits.includes('waitsToRead'), waits.includes('waitsToWrite')];
    if (reads) this.#end.want(writes ? 'both' : 'readable');
    else this.#end.want(writes ? 'writable' : 'nothing');
  }

  #fail(done?: (error?: Error) => void): void {
    // After the peer's close_notify nothing that fails on the way to it matters, and must not cost what came from it.
    const isMoot = this.#ending === 'authenticated';
    if (this.#ending === 'open') this.#ending = 'reset';
    const error = isMoot ? undefined : new Error('the connection broke');
    if (done === undefined) this.destroy(error);
    else done(error);
  }
}
