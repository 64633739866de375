// The names that the configuration gives to servers, found by address: an intercepted connection shows only that.
import { lookup } from 'node:dns/promises';
import { parseIpAddress, type Endpoint, type IpAddress } from '../../shared/endpoint.js';
import type { Config } from '../config.js';

/** How long an answer of the resolver is used; addresses of servers change in hours. */
const freshMs = 5 * 60 * 1000;
/** A session must not wait for a resolver that is away; it goes on without a name then. */
const patienceMs = 1000;

interface Known {
  readonly name: string;
  readonly port: number | undefined;
  addresses: ReadonlySet<IpAddress>;
}

export type Resolve = (name: string) => Promise<readonly IpAddress[]>;

/** All addresses of a name, by the machine's own resolver; none if it can't be resolved. */
export async function resolveName(name: string): Promise<readonly IpAddress[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.flatMap(({ address }) => parseIpAddress(address) ?? []);
}

export class HostNames {
  readonly #known: readonly Known[];
  readonly #resolve: Resolve;
  readonly #now: () => number;
  #refreshedAt: number | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(config: Config, resolve: Resolve = resolveName, now: () => number = Date.now) {
    const names = config.hosts.flatMap(({ match }) => (match.kind === 'name' ? [match] : []));
    this.#known = names.map(({ name, port }) => ({ name, port, addresses: new Set<IpAddress>() }));
    this.#resolve = resolve;
    this.#now = now;
  }

  /** The first [[host]] name that resolves to this server. Waits for the resolver a moment the first time only. */
  async nameOf(server: Endpoint): Promise<string | undefined> {
    if (this.#known.length === 0) return undefined;
    await this.#fresh();
    const isThis = ({ port, addresses }: Known) =>
      (port === undefined || port === server.port) && addresses.has(server.address);
    return this.#known.find(isThis)?.name;
  }

  async #fresh(): Promise<void> {
    if (this.#refreshedAt !== undefined && this.#now() - this.#refreshedAt < freshMs) return;
    const isFirst = this.#refreshedAt === undefined;
    this.#refreshing ??= this.#refresh();
    if (isFirst) await Promise.race([this.#refreshing, pause()]);
  }

  async #refresh(): Promise<void> {
    await Promise.all(
      this.#known.map(async (known) => {
        const addresses = await this.#resolve(known.name);
        // A resolver that is away for a while must not take the names from running rules.
        if (addresses.length > 0) known.addresses = new Set(addresses);
      }),
    );
    this.#refreshedAt = this.#now();
    this.#refreshing = undefined;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, patienceMs).unref();
  });
}
