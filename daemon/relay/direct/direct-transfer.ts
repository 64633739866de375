// One transfer by system calls: from a source's descriptor into a buffer, from there to a sink's. No byte of it is ever a JavaScript
// object. Which outcome follows from what is the same as in download.ts and upload.ts, which do it with streams.
import type { DataOutcome } from '../../ftp/data-outcome.js';
import type { NativeBuffer } from '../../sys/native-buffer.js';
import type { Ready } from '../../sys/readiness.js';
import type { Waiting } from '../../sys/tls-descriptor.js';
import type { RunOptions } from '../download.js';
import { PEER_CLOSE_MS, TransferRun, type OutcomeKind } from '../transfer-run.js';
import type { DirectEnd } from './direct-end.js';
import { discarded, lingerDirectly } from './direct-linger.js';
import { borrowBuffer, returnBuffer } from './transfer-buffers.js';

/** Bytes after which other connections of the thread have their turn. */
const TURN_BYTES = 1024 * 1024;

export interface DirectLegs {
  readonly client: DirectEnd;
  readonly server: DirectEnd;
}

/** Owns both ends from `start` on; resolves once, and resets both unless the outcome is `complete`. */
export class DirectTransfer {
  readonly #direction: 'download' | 'upload';
  readonly #source: DirectEnd;
  readonly #sink: DirectEnd;
  readonly #run: TransferRun;
  readonly #peerCloseMs: number;
  readonly #buffer: NativeBuffer = borrowBuffer();
  /** The bytes of the buffer that the sink has not taken. */
  #from = 0;
  #until = 0;
  #sourceWaits: Waiting | undefined;
  #sinkWaits: Waiting | undefined;
  #sourceEnded = false;
  /** The sink's peer has ended its own side. */
  #sinkEnded = false;
  /** Our last word to the sink was said. */
  #finished = false;
  #patience: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;

  constructor(
    { client, server }: DirectLegs,
    options: RunOptions & { readonly direction: 'download' | 'upload' },
    resolve: (outcome: DataOutcome) => void,
  ) {
    this.#direction = options.direction;
    [this.#source, this.#sink] = options.direction === 'download' ? [server, client] : [client, server];
    this.#peerCloseMs = options.peerCloseMs ?? PEER_CLOSE_MS;
    this.#run = new TransferRun({
      onBytes: options.onBytes,
      resolve,
      stallMs: options.stallMs,
      onStall: () => {
        if (this.#sourceEnded || this.#held() > 0) this.#failSink();
        else this.#failSource();
      },
    });
  }

  start(): void {
    this.#source.use({ onReady: this.#onSourceReady, onGone: this.#failSource });
    this.#sink.use({ onReady: this.#onSinkReady, onGone: this.#failSink });
    if (this.#sink.isGone) this.#failSink();
    else if (this.#source.isGone) this.#failSource();
    else this.#turn();
  }

  #isOver(): boolean {
    return this.#run.settled;
  }

  #held(): number {
    return this.#until - this.#from;
  }

  readonly #onSourceReady = (): void => {
    this.#sourceWaits = undefined;
    this.#turn();
  };

  readonly #onSinkReady = ({ readable }: Ready): void => {
    this.#sinkWaits = undefined;
    // Nobody looked whether the source has more while its bytes waited here.
    if (this.#held() > 0) this.#sourceWaits = undefined;
    if (readable && !this.#sinkEnded) this.#takeStrays();
    this.#turn();
  };

  readonly #turn = (): void => {
    if (this.#isOver()) return;
    const moved = this.#move();
    if (moved > 0) this.#run.progress(moved);
    if (this.#sourceEnded && this.#held() === 0) this.#finish();
    if (!this.#isOver()) this.#wait();
  };

  /** Returns how many bytes the sink took. */
  #move(): number {
    let moved = this.#drain();
    while (!this.#isOver() && this.#held() === 0 && moved < TURN_BYTES) {
      this.#fill();
      if (this.#isOver() || this.#held() === 0) break;
      moved += this.#drain();
    }
    return moved;
  }

  #fill(): void {
    this.#from = 0;
    this.#until = 0;
    const { bytes } = this.#source;
    while (!this.#sourceEnded && this.#sourceWaits === undefined && this.#until < this.#buffer.size) {
      const received = bytes.receive(this.#buffer, this.#until, this.#buffer.size - this.#until);
      if (typeof received === 'number') this.#until += received;
      else if (received === 'ended') this.#sourceEnded = true;
      else if (received === 'cut' || received === 'broken') {
        this.#failSource();
        return;
      } else this.#sourceWaits = received;
    }
  }

  #drain(): number {
    const { bytes } = this.#sink;
    const before = this.#from;
    while (this.#held() > 0 && this.#sinkWaits === undefined) {
      const sent = bytes.send(this.#buffer, this.#from, this.#held());
      if (typeof sent === 'number') this.#from += sent;
      else this.#onSinkState(sent);
      if (this.#isOver()) break;
    }
    if (this.#sinkWaits === undefined && !this.#isOver()) this.#onSinkState(bytes.flush());
    return this.#from - before;
  }

  #onSinkState(state: 'done' | Waiting | 'broken'): void {
    if (state === 'broken') this.#failSink();
    else if (state !== 'done') this.#sinkWaits = state;
  }

  /** What comes from the side that has nothing to send: tickets, line ends, or its end. */
  #takeStrays(): void {
    const { bytes } = this.#sink;
    for (;;) {
      const received = bytes.receive(discarded, 0, discarded.size);
      if (typeof received !== 'number') {
        if (received === 'broken') this.#failSink();
        else if (received === 'ended' || received === 'cut') this.#onSinkEnd();
        return;
      }
      if (!this.#run.tolerates(received)) {
        this.#failSink();
        return;
      }
    }
  }

  /** A peer that ended TLS takes nothing more; one in clear can. */
  #onSinkEnd(): void {
    this.#sinkEnded = true;
    if (this.#sink.bytes.isProvable && !this.#sourceEnded) this.#failSink();
    else if (this.#finished) this.#complete();
  }

  #finish(): void {
    if (this.#isOver() || this.#finished) return;
    // The server's last word was answered before the client hears the end of its file.
    if (this.#direction === 'download') this.#source.bytes.finish();
    const said = this.#sink.bytes.finish();
    if (said === 'done') this.#onFinished();
    else this.#onSinkState(said);
  }

  /** Strict servers count an upload as whole only if they can still send their own close_notify. */
  #onFinished(): void {
    this.#finished = true;
    if (this.#direction === 'download' || this.#sinkEnded) {
      this.#complete();
      return;
    }
    this.#patience = setTimeout(() => {
      this.#complete();
    }, this.#peerCloseMs);
  }

  #wait(): void {
    const isOpen = !this.#sourceEnded && this.#held() === 0;
    if (isOpen && this.#sourceWaits === undefined) {
      this.#next ??= setImmediate(() => {
        this.#next = undefined;
        this.#turn();
      });
    }
    if (!isOpen || this.#sourceWaits === undefined) this.#source.want('nothing');
    else this.#source.want(this.#sourceWaits === 'waitsToRead' ? 'readable' : 'writable');
    const writes = this.#sinkWaits === 'waitsToWrite';
    if (this.#sinkEnded && this.#sinkWaits !== 'waitsToRead')
      this.#sink.want(writes ? 'writable' : 'nothing');
    else this.#sink.want(writes ? 'both' : 'readable');
  }

  #complete(): void {
    if (!this.#settle('complete')) return;
    if (this.#direction === 'upload') this.#source.bytes.finish();
    lingerDirectly(this.#source, this.#peerCloseMs);
    lingerDirectly(this.#sink, this.#peerCloseMs);
  }

  readonly #failSource = (): void => {
    this.#fail(this.#direction === 'download' ? 'truncated' : 'clientGone');
  };

  readonly #failSink = (): void => {
    this.#fail(this.#direction === 'download' ? 'clientGone' : 'serverGone');
  };

  #fail(kind: OutcomeKind): void {
    if (!this.#settle(kind)) return;
    this.#source.reset();
    this.#sink.reset();
  }

  #settle(kind: OutcomeKind): boolean {
    if (!this.#run.settle(kind)) return false;
    clearTimeout(this.#patience);
    clearImmediate(this.#next);
    returnBuffer(this.#buffer);
    return true;
  }
}
