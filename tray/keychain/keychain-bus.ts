// The keychain's own connection to D-Bus: it must tell a silent service from a dead bus and from an error, and may be thrown
// away at any time without a trace in the tray (see tray/bus).
import {
  dbusErrorSchema,
  Message,
  sessionBus,
  signalType,
  type DbusConnection,
} from '../bus/dbus-library.js';

/** A bus on the same machine answers in a millisecond; a service that starts first takes a second. */
const callMs = 3000;

export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

export interface BusSignal {
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

/** How a call failed: `silent` within its time, the bus itself `gone`, or an `error` with its D-Bus name. */
export class BusFailure extends Error {
  readonly kind: 'silent' | 'gone' | 'error';
  readonly errorName: string;

  constructor(kind: BusFailure['kind'], errorName: string) {
    super(`${kind} ${errorName}`);
    this.kind = kind;
    this.errorName = errorName;
  }
}

/** One connection. After `gone` or `silent` it is closed and of no more use. */
export class KeychainBus {
  readonly #bus: DbusConnection;
  #dead = false;
  readonly #deathListeners = new Set<() => void>();

  /** Throws a BusFailure of kind `gone` for an address that can't be understood; what else is wrong shows at the first call. */
  constructor(address: string, onSignal: (signal: BusSignal) => void) {
    try {
      this.#bus = sessionBus({ busAddress: address });
    } catch {
      throw new BusFailure('gone', 'address');
    }
    this.#bus.on('error', () => {
      this.close();
    });
    this.#bus.on('message', (message) => {
      if (message.type !== signalType) return;
      onSignal({ interface: message.interface, member: message.member, body: message.body });
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** The reply's body. Rejects with a BusFailure. */
  async call(call: BusCall): Promise<readonly unknown[]> {
    if (this.#dead) throw new BusFailure('gone', 'closed');
    const { body = [], signature = '', ...rest } = call;
    const reply = this.#bus.call(new Message({ ...rest, signature, body: [...body] }));
    try {
      return (await this.#bounded(reply))?.body ?? [];
    } catch (error) {
      if (error instanceof BusFailure) throw error;
      const answered = dbusErrorSchema.safeParse(error);
      if (answered.success) throw new BusFailure('error', answered.data.type);
      this.close();
      throw new BusFailure('gone', error instanceof Error ? error.message : '');
    }
  }

  close(): void {
    if (this.#dead) return;
    this.#dead = true;
    for (const die of [...this.#deathListeners]) die();
    this.#bus.disconnect();
  }

  #bounded<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#deathListeners.delete(die);
      };
      const die = () => {
        end();
        reject(new BusFailure('gone', 'connection'));
      };
      const timer = setTimeout(() => {
        end();
        reject(new BusFailure('silent', ''));
        this.close();
      }, callMs);
      this.#deathListeners.add(die);
      reply.then(resolve, reject).finally(end);
    });
  }
}
