// Entries in keychains that take little at once. What is longer lies in numbered parts beside its own entry, which says how many; the
// parts are written before that entry, and removed after it.
import { Fault } from '../../shared/fault.js';
import type { SecretEntries } from './entries.js';

/** UTF-16 units; Windows' Credential Manager takes 1280 (CRED_MAX_CREDENTIAL_BLOB_SIZE is 2560 bytes). */
export const MAX_CREDENTIAL = 1200;
/** No text of ours comes near: a record is 4096 at most. */
const maxParts = 8;

export class SplitEntries implements SecretEntries {
  readonly #entries: SecretEntries;
  readonly #max: number;

  constructor(entries: SecretEntries, max: number) {
    this.#entries = entries;
    this.#max = max;
  }

  get stuck(): boolean {
    return this.#entries.stuck;
  }

  /** Undefined also where a part is missing. */
  async get(account: string): Promise<string | undefined> {
    const text = await this.#entries.get(account);
    const count = partsOf(text);
    if (count === 0) return text;
    let whole = '';
    for (let part = 1; part <= count; part++) {
      const piece = await this.#entries.get(partAccount(account, part));
      if (piece === undefined) return undefined;
      whole += piece;
    }
    return whole;
  }

  async set(account: string, text: string): Promise<void> {
    const before = partsOf(await this.#entries.get(account));
    const pieces = text.length <= this.#max ? [] : this.#split(text);
    for (const [index, piece] of pieces.entries())
      await this.#entries.set(partAccount(account, index + 1), piece);
    await this.#entries.set(account, pieces.length === 0 ? text : header(pieces.length));
    await this.#deleteParts(account, pieces.length + 1, before);
  }

  async delete(account: string): Promise<void> {
    const count = partsOf(await this.#entries.get(account));
    await this.#entries.delete(account);
    await this.#deleteParts(account, 1, count);
  }

  #split(text: string): readonly string[] {
    const count = Math.ceil(text.length / this.#max);
    if (count > maxParts) throw new Fault('store', 'A record is too long for your keychain.');
    return Array.from({ length: count }, (_, index) =>
      text.slice(index * this.#max, (index + 1) * this.#max),
    );
  }

  async #deleteParts(account: string, first: number, last: number): Promise<void> {
    for (let part = first; part <= last; part++) await this.#entries.delete(partAccount(account, part));
  }
}

/** No JSON, so no text of ours is taken for it. */
function header(count: number): string {
  return `in ${count} parts`;
}

function partsOf(text: string | undefined): number {
  return Number(/^in ([2-8]) parts$/.exec(text ?? '')?.[1] ?? 0);
}

function partAccount(account: string, part: number): string {
  return `${account} (part ${part})`;
}
