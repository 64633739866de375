// The keychain's table of contents, for a keychain can't be asked what it holds: entries with the names of all records, each
// small enough for the smallest entry of any keychain (2560 bytes in Windows).
import { z } from 'zod';
import { MAX_VAULT_RECORDS } from '../../shared/agent-messages.js';
import type { SecretEntries } from './entries.js';

/** Characters; in UTF-16 this is well below the limit. */
const maxChunk = 1200;
/** A chunk that somebody deleted by hand must not cost those after it. */
const maxGap = 2;

const chunkSchema = z.object({
  version: z.literal(1),
  accounts: z.array(z.string().min(1).max(512)).max(MAX_VAULT_RECORDS),
});

const chunkAccount = (index: number) => `index ${index}`;

/** The table as it was read. `add` and `remove` change it in memory, `write` makes the keychain say the same. */
export class IndexEntry {
  readonly #chunks: Set<string>[];
  readonly #changed = new Set<number>();

  private constructor(chunks: Set<string>[]) {
    this.#chunks = chunks;
  }

  /** A chunk that can't be understood counts as empty. Rejects with a Fault of code `store`. */
  static async read(entries: SecretEntries): Promise<IndexEntry> {
    const chunks: Set<string>[] = [];
    let gap = 0;
    for (let index = 0; gap < maxGap && index < MAX_VAULT_RECORDS; index++) {
      const text = await entries.get(chunkAccount(index));
      gap = text === undefined ? gap + 1 : 0;
      chunks.push(new Set(text === undefined ? [] : parseChunk(text)));
    }
    return new IndexEntry(chunks.slice(0, chunks.length - gap));
  }

  get accounts(): readonly string[] {
    return [...new Set(this.#chunks.flatMap((chunk) => [...chunk]))].slice(0, MAX_VAULT_RECORDS);
  }

  add(account: string): void {
    if (this.#chunks.some((chunk) => chunk.has(account))) return;
    const fits = (chunk: Set<string>) => formatChunk(chunk).length + account.length + 3 <= maxChunk;
    const found = this.#chunks.findIndex(fits);
    const index = found < 0 ? this.#chunks.push(new Set()) - 1 : found;
    this.#chunks[index]?.add(account);
    this.#changed.add(index);
  }

  remove(account: string): void {
    for (const [index, chunk] of this.#chunks.entries()) if (chunk.delete(account)) this.#changed.add(index);
  }

  async write(entries: SecretEntries): Promise<void> {
    for (const index of this.#changed) {
      await entries.set(chunkAccount(index), formatChunk(this.#chunks[index] ?? new Set()));
    }
    this.#changed.clear();
  }
}

function formatChunk(accounts: ReadonlySet<string>): string {
  return JSON.stringify({ version: 1, accounts: [...accounts] });
}

function parseChunk(text: string): readonly string[] {
  try {
    return chunkSchema.parse(JSON.parse(text)).accounts;
  } catch {
    return [];
  }
}
