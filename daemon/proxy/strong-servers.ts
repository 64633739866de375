// The servers that have once agreed to TLS since the proxy started, whatever became of it: they are offered no weaker mechanism, or a
// man in the middle could break TLS off and wait for the next connection. That it worked is remembered for good, with the key.
import { formatEndpoint, type Endpoint } from '../../shared/endpoint.js';

/** A desktop knows tens; what an attacker makes us forget he has to make us learn first. */
const SERVERS_MAX = 20_000;

export class StrongServers {
  readonly #known = new Set<string>();

  /** This server has agreed to TLS. */
  add(server: Endpoint): void {
    const oldest = this.#known.values().next();
    if (this.#known.size >= SERVERS_MAX && oldest.done !== true) this.#known.delete(oldest.value);
    this.#known.add(formatEndpoint(server));
  }

  has(server: Endpoint): boolean {
    return this.#known.has(formatEndpoint(server));
  }
}
