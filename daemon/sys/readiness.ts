// When a descriptor that Node does not own can be read or written: libuv's poll handle, through koffi. Linux; works in worker threads.
import koffi from 'koffi';

/** What to wait for. */
export type Interest = 'nothing' | 'readable' | 'writable' | 'both';

/** What was found. After an error of the descriptor both are true: reading or writing it tells which error. */
export interface Ready {
  readonly readable: boolean;
  readonly writable: boolean;
}

const BROKEN: Ready = { readable: true, writable: true };

/** Reports as long as what is waited for is there, once a turn of the event loop. The descriptor stays its owner's; `close` comes before its end. */
export class Readiness {
  readonly #fd: number;
  readonly #onReady: (ready: Ready) => void;
  #handle: ReturnType<typeof koffi.node.poll> | undefined;
  #interest: Interest = 'nothing';
  #closed = false;

  constructor(fd: number, onReady: (ready: Ready) => void) {
    this.#fd = fd;
    this.#onReady = onReady;
  }

  /** From now on. Cheap when nothing changes. */
  want(interest: Interest): void {
    if (this.#closed || interest === this.#interest) return;
    this.#interest = interest;
    if (interest === 'nothing') {
      this.#handle?.stop();
      return;
    }
    const events = { readable: interest !== 'writable', writable: interest !== 'readable' };
    if (this.#handle === undefined) this.#handle = koffi.node.poll(this.#fd, events, this.#report);
    else this.#handle.start(events, this.#report);
  }

  /** Nothing is reported any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#handle?.close();
    this.#handle = undefined;
  }

  // The types of koffi know the second argument alone; the first is libuv's status.
  readonly #report = (...args: readonly unknown[]): void => {
    if (this.#closed) return;
    const [status, ready] = args;
    const isBroken = typeof status === 'number' && status < 0;
    // libuv has stopped the handle.
    if (isBroken) this.#interest = 'nothing';
    try {
      this.#onReady(!isBroken && isReady(ready) ? ready : BROKEN);
    } catch (error) {
      // koffi drops what is thrown here: a mistake of ours would be a connection that stands still for ever.
      process.nextTick(() => {
        throw error;
      });
    }
  };
}

function isReady(value: unknown): value is Ready {
  return typeof value === 'object' && value !== null && 'readable' in value && 'writable' in value;
}
