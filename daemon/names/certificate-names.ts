// Names that a server's certificate claims, checked against the DNS. That such a name leads to the server's address proves only that its
// owner lets it: everybody can do that with a name of his own. So nobody is let in for it; a person sees it, and a pin remembers it.
import type { IpAddress } from '../../shared/endpoint.js';

/** Milliseconds that a session waits for all names together. */
const PATIENCE_MS = 1500;
/** Certificates whose names are being resolved: a resolver that does not answer holds each for half a minute. */
const AT_ONCE = 4;

export interface CertificateNamesOptions {
  /** All addresses of a name by the machine's own resolver; none if it can't be resolved. Never rejects. */
  readonly resolve: (name: string) => Promise<readonly IpAddress[]>;
  readonly patienceMs?: number;
}

export class CertificateNames {
  readonly #options: CertificateNamesOptions;
  #busy = 0;

  constructor(options: CertificateNamesOptions) {
    this.#options = options;
  }

  /**
   * The first of the names that resolves to the address; undefined if none does, if that is not known in time, or if too many are asked
   * for already. The caller bounds the number of names. Never rejects.
   */
  async leadingTo(address: IpAddress, names: readonly string[]): Promise<string | undefined> {
    if (names.length === 0 || this.#busy >= AT_ONCE) return undefined;
    this.#busy += 1;
    const found = this.#search(address, names).finally(() => {
      this.#busy -= 1;
    });
    return Promise.race([found, pause(this.#options.patienceMs ?? PATIENCE_MS)]);
  }

  async #search(address: IpAddress, names: readonly string[]): Promise<string | undefined> {
    const { resolve } = this.#options;
    const leads = await Promise.all(names.map(async (name) => (await resolve(name)).includes(address)));
    return names.find((_, index) => leads[index]);
  }
}

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined).unref();
  });
}
