// The names that the configuration and the administrator's keys give to servers, found by address: an intercepted connection shows only that.
import { lookup } from 'node:dns/promises';
import { parseIpAddress, type Endpoint, type IpAddress } from '../../shared/endpoint.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { Config } from '../config.js';

/** How long an answer of the resolver is used; addresses of servers change in hours. */
const freshMs = 5 * 60 * 1000;
/** A session must not wait for a resolver that is away; it goes on without a name then. */
const patienceMs = 1000;

/** `port` undefined: every port. */
export interface NamedServer {
  readonly name: string;
  readonly port: number | undefined;
}

interface Known extends NamedServer {
  addresses: ReadonlySet<IpAddress>;
}

export type Resolve = (name: string) => Promise<readonly IpAddress[]>;

/** All addresses of a name, by the machine's own resolver; none if it can't be resolved. */
export async function resolveName(name: string): Promise<readonly IpAddress[]> {
  const found = await lookup(name, { all: true }).catch(() => []);
  return found.flatMap(({ address }) => parseIpAddress(address) ?? []);
}

const noNames: readonly NamedServer[] = [];

export class HostNames {
  readonly #given: readonly NamedServer[];
  readonly #more: () => readonly NamedServer[];
  #moreSeen = noNames;
  #known: readonly Known[];
  readonly #resolve: Resolve;
  readonly #now: () => number;
  #refreshedAt: number | undefined;
  #refreshing: Promise<void> | undefined;

  /** `more`: names besides those of the configuration; another list is looked up anew. */
  constructor(
    config: Config,
    resolve: Resolve = resolveName,
    now: () => number = steadyNow,
    more: () => readonly NamedServer[] = () => noNames,
  ) {
    const names = config.hosts.flatMap(({ match }) => (match.kind === 'name' ? [match] : []));
    this.#given = names.map(({ name, port }) => ({ name, port }));
    this.#known = this.#given.map(unresolved);
    this.#resolve = resolve;
    this.#now = now;
    this.#more = more;
  }

  /** The first name, those of [[host]] before others, that resolves to this server. Waits for the resolver a moment the first time only. */
  async nameOf(server: Endpoint): Promise<string | undefined> {
    this.#takeMore();
    if (this.#known.length === 0) return undefined;
    await this.#fresh();
    const isThis = ({ port, addresses }: Known) =>
      (port === undefined || port === server.port) && addresses.has(server.address);
    return this.#known.find(isThis)?.name;
  }

  #takeMore(): void {
    const more = this.#more();
    if (more === this.#moreSeen) return;
    this.#moreSeen = more;
    const known = new Map(this.#known.map((one) => [keyOf(one), one]));
    this.#known = [...this.#given, ...more].map((one) => known.get(keyOf(one)) ?? unresolved(one));
    this.#refreshedAt = undefined;
    // The one under way is about other names.
    this.#refreshing = undefined;
  }

  async #fresh(): Promise<void> {
    if (this.#refreshedAt !== undefined && this.#now() - this.#refreshedAt < freshMs) return;
    const isFirst = this.#refreshedAt === undefined;
    this.#refreshing ??= this.#refresh();
    if (isFirst) await Promise.race([this.#refreshing, pause()]);
  }

  async #refresh(): Promise<void> {
    const asked = this.#known;
    await Promise.all(
      asked.map(async (known) => {
        const addresses = await this.#resolve(known.name);
        // A resolver that is away for a while must not take the names from running rules.
        if (addresses.length > 0) known.addresses = new Set(addresses);
      }),
    );
    if (asked !== this.#known) return;
    this.#refreshedAt = this.#now();
    this.#refreshing = undefined;
  }
}

function unresolved({ name, port }: NamedServer): Known {
  return { name, port, addresses: new Set() };
}

function keyOf({ name, port }: NamedServer): string {
  return `${name} ${port ?? ''}`;
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, patienceMs).unref();
  });
}
