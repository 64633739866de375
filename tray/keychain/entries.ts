// Named secrets in an operating system's keychain: the smallest thing that all of them offer.
import { AsyncEntry } from '@napi-rs/keyring';
import { Fault } from '../../shared/fault.js';

/** Under this name the entries stand in the keychain, where people and other programs see them. */
export const serviceName = 'ftpseal';

/** A keychain that works takes some ten milliseconds; longer means a window that waits for a person. */
const operationMs = 3000;

/**
 * One operation at a time; each rejects with a Fault of code `store`, after a time-out too. The operation that timed out may
 * still take effect, so nothing more is tried while it runs: `stuck`.
 */
export interface SecretEntries {
  readonly stuck: boolean;
  /** Undefined: there is no such entry. */
  get(account: string): Promise<string | undefined>;
  set(account: string, text: string): Promise<void>;
  /** An entry that isn't there is fine. */
  delete(account: string): Promise<void>;
}

/**
 * The system's own keychain: the Secret Service on Linux, pinned (unpinned the library falls back to the kernel's keyring, which
 * forgets at the next start), the Credential Manager on Windows.
 */
export class KeychainEntries implements SecretEntries {
  readonly #onStuck: () => void;
  #lastTurn: Promise<unknown> = Promise.resolve();
  #stuck = false;

  /** `onStuck` is called when an operation timed out, and again when it has ended after all. */
  constructor(onStuck: () => void) {
    this.#onStuck = onStuck;
  }

  get stuck(): boolean {
    return this.#stuck;
  }

  async get(account: string): Promise<string | undefined> {
    return (await this.#run(account, (entry) => entry.getPassword())) ?? undefined;
  }

  async set(account: string, text: string): Promise<void> {
    await this.#run(account, (entry) => entry.setPassword(text));
  }

  async delete(account: string): Promise<void> {
    await this.#run(account, (entry) => entry.deleteCredential());
  }

  #run<T>(account: string, operate: (entry: AsyncEntry) => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(() => this.#bounded(account, operate));
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async #bounded<T>(account: string, operate: (entry: AsyncEntry) => Promise<T>): Promise<T> {
    if (this.#stuck) throw new Fault('store', 'The keychain still works on an earlier request.');
    let timer: NodeJS.Timeout | undefined;
    try {
      const operation = operate(new AsyncEntry(serviceName, account, { linux: { store: 'secret-service' } }));
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          this.#setStuck(operation);
          reject(new Fault('store', 'The keychain did not answer in time.'));
        }, operationMs);
      });
      return await Promise.race([operation, late]);
    } catch (error) {
      throw Fault.from(error, 'store');
    } finally {
      clearTimeout(timer);
    }
  }

  #setStuck(operation: Promise<unknown>): void {
    this.#stuck = true;
    const end = () => {
      this.#stuck = false;
      this.#onStuck();
    };
    operation.then(end, end);
    this.#onStuck();
  }
}
