// What servers of X-SafeTP1 call themselves: a name can change under the same key, rightly signed, and then it is to be noted.
import type { ServerIdentity } from '../../shared/trust.js';

/** Keys whose brand is remembered; the oldest give way. */
const REMEMBERED_MAX = 1000;

/** Knows what it has seen since the daemon started, and nothing before. */
export class BrandWatch {
  readonly #brands = new Map<string, string>();

  /** Did this key show another brand when it was last seen? */
  hasChanged({ fingerprint, brand }: ServerIdentity): boolean {
    if (brand === undefined) return false;
    const before = this.#brands.get(fingerprint);
    this.#brands.delete(fingerprint);
    this.#brands.set(fingerprint, brand);
    const [oldest] = this.#brands.keys();
    if (this.#brands.size > REMEMBERED_MAX && oldest !== undefined) this.#brands.delete(oldest);
    return before !== undefined && before !== brand;
  }
}
