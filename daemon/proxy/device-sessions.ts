// How many sessions the devices behind a gateway may have at once: one device can neither fill the proxy nor take the places of
// the machine's own users. No clock of its own.
import type { IpAddress } from '../../shared/endpoint.js';
import type { Connection } from '../../shared/trust.js';

/** Of all devices together: fewer than there are active ports, so that local users always find one (divert.active_ports). */
export const MOST_IN_ALL = 512;
/** A connection that was let in and never became a session (its client hung up) gives its place back after this time. */
const UNUSED_MS = 60_000;

export interface DeviceSessionsOptions {
  /** For each address (divert.forwarded_sessions). */
  readonly most: number;
  /** How many sessions there are, of one device and of all. */
  readonly sessions: (client: IpAddress) => { readonly own: number; readonly all: number };
  readonly now: () => number;
}

interface Admitted {
  readonly client: IpAddress;
  readonly at: number;
}

export class DeviceSessions {
  readonly #options: DeviceSessionsOptions;
  /** Let in, and not yet reported as a session; at most MOST_IN_ALL. */
  #admitted: readonly Admitted[] = [];

  constructor(options: DeviceSessionsOptions) {
    this.#options = options;
  }

  /** The sentence with which a connection is refused; undefined if it may become a session. */
  admit({ client: { address: client } }: Connection): string | undefined {
    const now = this.#options.now();
    this.#admitted = this.#admitted.filter(({ at }) => now - at < UNUSED_MS);
    const { own, all } = this.#options.sessions(client);
    const waiting = this.#admitted.filter((one) => one.client === client).length;
    if (own + waiting >= this.#options.most)
      return `this device has ${own + waiting} FTP sessions open already; it gets no more (divert.forwarded_sessions).`;
    if (all + this.#admitted.length >= MOST_IN_ALL)
      return 'too many devices use FTP through this gateway now. Try again later.';
    this.#admitted = [...this.#admitted, { client, at: now }];
    return undefined;
  }

  /** A connection that was let in has become a session. */
  began({ client: { address: client } }: Connection): void {
    const index = this.#admitted.findIndex((one) => one.client === client);
    if (index >= 0) this.#admitted = this.#admitted.toSpliced(index, 1);
  }
}
