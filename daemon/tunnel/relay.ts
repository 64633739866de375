// Moves bytes between the two legs of a tunnel until both have ended, or one breaks. Each way ends by itself (half-close);
// what waits in memory is one piece of bytes a way.
import type { Leg } from './leg.js';
import type { Role } from './plan.js';

export interface RelayOptions {
  readonly role: Role;
  /** `-e`: the client's end of file ends the connection. */
  readonly endsWithClient: boolean;
  /** The server's end of file ends the connection too: for people at a terminal, whose own end would have to be typed. */
  readonly endsWithServer: boolean;
  /** The client's end of file is kept back until the server has ended, for servers that take it for the end of everything. */
  readonly holdsEnd: boolean;
  /** Ends a tunnel in which nothing moved for so long; undefined: never. */
  readonly idleMs: number | undefined;
}

/** How the tunnel ended. Counts are bytes of plain text. */
export type Outcome = { readonly toSecure: number; readonly toClear: number } & (
  | { readonly kind: 'done' }
  /** `secure`: without the end mark of TLS, or broken off; data may be missing. */
  | { readonly kind: 'cut'; readonly side: 'clear' | 'secure' }
  /** The other tunnel end has ended regularly, but went away before it had everything. */
  | { readonly kind: 'undelivered' }
  | { readonly kind: 'idle' }
);

type Ending = Outcome extends infer T ? (T extends Outcome ? Omit<T, 'toSecure' | 'toClear'> : never) : never;

/**
 * With `-e`, how long the server may still say something after the client's end: what is under way should arrive, and a close with
 * bytes unread would be a reset, which may cost the other end bytes that it has not read yet.
 */
const LAST_WORDS_MS = 1000;

/** At most so long for another end that never stops talking to a program that has ended. */
const LINGER_MS = 30_000;

/** One way through the tunnel. */
interface Way {
  readonly name: 'clear' | 'secure';
  readonly from: Leg;
  readonly to: Leg;
  bytes: number;
  /** The source has ended. */
  ended: boolean;
  /** The sink has taken everything, its end included. */
  delivered: boolean;
  /** The sink's connection does not exist any more. */
  isGone: boolean;
}

/** Runs until the end; both legs are closed then. Never rejects. */
export function relay(clear: Leg, secure: Leg, options: RelayOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    new Relay(clear, secure, options, resolve).start();
  });
}

class Relay {
  readonly #options: RelayOptions;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #fromClear: Way;
  readonly #fromSecure: Way;
  readonly #idle: NodeJS.Timeout | undefined;
  /** Runs while bytes that nobody wants are waited for. */
  #quiet: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(clear: Leg, secure: Leg, options: RelayOptions, resolve: (outcome: Outcome) => void) {
    this.#options = options;
    this.#resolve = resolve;
    this.#fromClear = way('clear', clear, secure);
    this.#fromSecure = way('secure', secure, clear);
    if (options.idleMs !== undefined) {
      this.#idle = setTimeout(() => {
        this.#end({ kind: 'idle' });
      }, options.idleMs);
    }
  }

  start(): void {
    for (const one of [this.#fromClear, this.#fromSecure]) this.#watch(one);
    for (const one of [this.#fromClear, this.#fromSecure]) this.#move(one);
  }

  #watch(one: Way): void {
    one.from.source.once('end', () => {
      this.#ended(one);
    });
    one.from.source.once('close', () => {
      if (!one.ended) this.#ended(one);
    });
    one.to.sink.once('finish', () => {
      one.delivered = true;
      this.#delivered(one);
    });
    one.to.onGone(() => {
      this.#gone(one);
    });
  }

  #move(one: Way): void {
    const { source } = one.from;
    const { sink } = one.to;
    one.from.receive((bytes) => {
      this.#idle?.refresh();
      if (one === this.#fromSecure) this.#quiet?.refresh();
      one.bytes += bytes.length;
      if (!sink.writable) return 'done';
      if (!sink.write(bytes)) {
        source.pause();
        sink.once('drain', () => {
          this.#idle?.refresh();
          source.resume();
        });
      }
      return 'kept';
    });
  }

  #ended(one: Way): void {
    if (this.#isOver) return;
    if (one.from.ending() === 'cut') {
      this.#end({ kind: 'cut', side: one.name });
      return;
    }
    one.ended = true;
    this.#idle?.refresh();
    const isHeld = this.#options.holdsEnd && one === this.#clientWay() && !this.#serverWay().ended;
    if (!isHeld) one.to.sink.end();
    // What was held back goes out behind the server's own end.
    const hasHeld = this.#options.holdsEnd && this.#clientWay().ended;
    if (one === this.#serverWay() && (hasHeld || this.#options.endsWithServer))
      this.#clientWay().to.sink.end();
    if (one === this.#fromSecure && this.#fromClear.isGone) this.#goneAfterItsEnd(this.#fromClear);
    this.#endIfDone();
  }

  #delivered(one: Way): void {
    if (this.#options.endsWithClient && one === this.#clientWay()) this.#endWithClient();
    this.#endIfDone();
  }

  /** The client's end is with the other side: the connection ends behind the server's last words. */
  #endWithClient(): void {
    setTimeout(() => {
      if (this.#isOver) return;
      this.#serverWay().to.sink.end(() => {
        this.#end({ kind: 'done' });
      });
    }, LAST_WORDS_MS);
  }

  /** Nothing more arrives at the far end of this way. */
  #gone(one: Way): void {
    if (one.delivered || this.#isOver) return;
    const back = this.#reverse(one);
    if (one.name === 'secure' && !back.ended && one.to.goesWithSink) {
      this.#end({ kind: 'cut', side: 'clear' });
      return;
    }
    if (one.name === 'secure') {
      // It does not care for the rest, as programs do that read half of their input; what it says itself still counts.
      one.delivered = true;
      this.#endIfDone();
      return;
    }
    one.isGone = true;
    // What came before it went away, TLS's end mark above all, may still be on its way through; its end or its close follows.
    if (back.ended) this.#goneAfterItsEnd(one);
  }

  /** The other tunnel end has ended regularly and closed its connection as well. */
  #goneAfterItsEnd(one: Way): void {
    const isComplete = one.ended && one.to.sink.writableLength === 0;
    this.#end(isComplete ? { kind: 'done' } : { kind: 'undelivered' });
  }

  #endIfDone(): void {
    if (!this.#fromClear.delivered || !this.#fromSecure.delivered) return;
    if (this.#fromSecure.ended || this.#fromSecure.from.source.destroyed) this.#end({ kind: 'done' });
    else this.#linger();
  }

  /** Nobody wants what still comes, but a close with bytes unread would be a reset, and cost the other end what it has not read. */
  #linger(): void {
    if (this.#quiet !== undefined) return;
    const finish = (): void => {
      this.#end({ kind: 'done' });
    };
    this.#quiet = setTimeout(finish, LAST_WORDS_MS);
    setTimeout(finish, LINGER_MS).unref();
    this.#fromSecure.from.source.resume();
  }

  #end(ending: Ending): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#idle);
    clearTimeout(this.#quiet);
    const finish = (): void => {
      for (const { from } of [this.#fromClear, this.#fromSecure]) {
        if (ending.kind === 'done') from.close();
        else from.abort();
      }
      this.#resolve({ ...ending, toSecure: this.#fromClear.bytes, toClear: this.#fromSecure.bytes });
    };
    // What came before the cut belongs to the stream.
    if (ending.kind === 'cut') flush(ending.side === 'secure' ? this.#fromSecure : this.#fromClear, finish);
    else finish();
  }

  #reverse(one: Way): Way {
    return one === this.#fromClear ? this.#fromSecure : this.#fromClear;
  }

  #clientWay(): Way {
    return this.#options.role === 'client' ? this.#fromClear : this.#fromSecure;
  }

  #serverWay(): Way {
    return this.#options.role === 'client' ? this.#fromSecure : this.#fromClear;
  }
}

function way(name: 'clear' | 'secure', from: Leg, to: Leg): Way {
  return { name, from, to, bytes: 0, ended: false, delivered: false, isGone: false };
}

function flush({ to }: Way, then: () => void): void {
  if (!to.sink.writable) {
    then();
    return;
  }
  const once = (): void => {
    to.sink.off('close', once);
    then();
  };
  to.sink.once('close', once);
  to.sink.write(Buffer.alloc(0), once);
}
