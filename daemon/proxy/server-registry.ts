// Which servers the redirect layer knows: added when the first session needs a data connection, kept for minutes
// after the last. Each has one active port, from which connections to a client seem to come from the server.
import { parsePort, portCount, type IpAddress, type Port, type PortRange } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { DivertedServer } from '../divert/diverter.js';
import { MAX_SERVERS } from '../privops.js';

/** A client may open its data connection, or the next session, well after the last one ended. */
const keepMs = 5 * 60 * 1000;

export interface RegistryOptions {
  readonly active: PortRange;
  /** Brings the whole list into force. */
  readonly apply: (servers: readonly DivertedServer[]) => Promise<void>;
  /** The servers with a session now: they stay. */
  readonly inUse: () => ReadonlySet<IpAddress>;
  readonly now: () => number;
}

interface Entry {
  readonly server: DivertedServer;
  usedAt: number;
}

export class ServerRegistry {
  readonly #options: RegistryOptions;
  readonly #entries = new Map<IpAddress, Entry>();
  #next = 0;
  /** The application under way, and the one that will take in everything that came since. */
  #applying: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  /** The addresses that are in force. */
  #inForce: ReadonlySet<IpAddress> = new Set();

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** The active port of a server, once the redirect layer has it. Rejects with a Fault of code `redirect`. */
  async reserve(address: IpAddress): Promise<Port> {
    const entry = this.#entries.get(address) ?? this.#add(address);
    entry.usedAt = this.#options.now();
    if (!this.#inForce.has(address)) await this.#apply();
    return entry.server.activePort;
  }

  /** Forgets what nobody has used for a while. */
  async sweep(): Promise<void> {
    const inUse = this.#options.inUse();
    const now = this.#options.now();
    let gone = 0;
    for (const [address, entry] of this.#entries) {
      if (inUse.has(address)) entry.usedAt = now;
      else if (now - entry.usedAt > keepMs && this.#entries.delete(address)) gone++;
    }
    if (gone > 0) await this.#apply();
  }

  /** Applies all that is known; calls during an application share the next one. */
  #apply(): Promise<void> {
    this.#queued ??= this.#applying
      .catch(() => undefined)
      .then(() => {
        this.#applying = this.#applyNow();
        this.#queued = undefined;
        return this.#applying;
      });
    return this.#queued;
  }

  async #applyNow(): Promise<void> {
    const servers = [...this.#entries.values()].map((entry) => entry.server);
    await this.#options.apply(servers);
    this.#inForce = new Set(servers.map((server) => server.address));
  }

  #add(address: IpAddress): Entry {
    if (this.#entries.size >= Math.min(MAX_SERVERS, portCount(this.#options.active))) this.#evict();
    const entry = { server: { address, activePort: this.#freePort() }, usedAt: this.#options.now() };
    this.#entries.set(address, entry);
    return entry;
  }

  #evict(): void {
    const inUse = this.#options.inUse();
    const idle = [...this.#entries].filter(([address]) => !inUse.has(address));
    const [oldest] = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest === undefined) {
      throw new Fault(
        'redirect',
        'There are sessions to too many servers at once; make divert.active_ports larger.',
      );
    }
    this.#entries.delete(oldest[0]);
  }

  // Round-robin, so that a port that was just given back does not serve another server while old connections linger.
  #freePort(): Port {
    const { active } = this.#options;
    const taken = new Set([...this.#entries.values()].map((entry) => entry.server.activePort));
    for (let tries = portCount(active); tries > 0; tries--) {
      const port = parsePort(active.first + (this.#next++ % portCount(active)));
      if (port !== undefined && !taken.has(port)) return port;
    }
    throw new Fault('redirect', 'No active port is free; make divert.active_ports larger.');
  }
}
