// A TLS handshake as the client on a direct end. Its first message is made at once and held until it may be seen.
import { Fault } from '../../../shared/fault.js';
import type { TlsDescriptor } from '../../sys/tls-descriptor.js';
import { handshakeFault } from '../tls-faults.js';
import type { DirectEnd } from './direct-end.js';

/** Uses the end until `done` settles; a failure closes it. */
export class DirectHandshake {
  /** Rejects with one Fault of code `network`; never settles before `begin`. */
  readonly done: Promise<void>;
  readonly #end: DirectEnd;
  readonly #tls: TlsDescriptor;
  #state: ReturnType<TlsDescriptor['handshake']>;
  #isGone = false;
  #timer: NodeJS.Timeout | undefined;
  #resolve: () => void = () => undefined;
  #reject: (fault: Fault) => void = () => undefined;

  constructor(end: DirectEnd, tls: TlsDescriptor) {
    this.#end = end;
    this.#tls = tls;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    end.secure(tls);
    end.use({ onReady: this.#onReady, onGone: this.#onGone });
    this.#state = tls.handshake();
  }

  /** The server may see it from now on. Idempotent. */
  begin(milliseconds: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#fail(new Fault('network', 'The server did not complete the TLS handshake in time.'));
    }, milliseconds);
    if (this.#isGone) {
      this.#fail(handshakeFault(undefined));
      return;
    }
    this.#goOn();
  }

  readonly #onReady = (): void => {
    // What waited to be sent goes out first: the handshake has not moved since.
    if (this.#state === 'waitsToRead') this.#state = this.#tls.handshake();
    this.#goOn();
  };

  readonly #onGone = (): void => {
    this.#isGone = true;
    if (this.#timer !== undefined) this.#fail(handshakeFault(undefined));
  };

  #goOn(): void {
    const flushed = this.#tls.flush();
    if (this.#state === 'broken' || flushed === 'broken') this.#fail(handshakeFault(tlsError(this.#tls)));
    else if (flushed === 'waitsToWrite') this.#end.want('writable');
    else if (this.#state === 'waitsToRead') this.#end.want('readable');
    else this.#succeed();
  }

  #succeed(): void {
    clearTimeout(this.#timer);
    this.#end.want('nothing');
    this.#resolve();
  }

  #fail(fault: Fault): void {
    clearTimeout(this.#timer);
    this.#end.close();
    this.#reject(fault);
  }
}

/** As Node would report it; undefined if TCP failed. */
function tlsError({ failure }: TlsDescriptor): NodeJS.ErrnoException | undefined {
  if (failure === undefined) return undefined;
  const words = failure.replace('ERR_SSL_', '').replaceAll('_', ' ').toLowerCase();
  return Object.assign(new Error(words), { code: failure });
}
