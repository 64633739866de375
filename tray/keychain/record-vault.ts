// Records as entries of a keychain: one entry a record, and the index. A record is written before the index names it, and
// leaves the index before it is deleted: whatever a crash leaves behind, the index names nothing that was not confirmed.
import { createHash } from 'node:crypto';
import { MAX_VAULT_PAGE, vaultRecordSchema, type VaultRecord } from '../../shared/agent-messages.js';
import { formatEndpoint } from '../../shared/endpoint.js';
import type { SecretEntries } from './entries.js';
import { IndexEntry } from './index-entry.js';
import type { VaultChange, VaultPage } from './vault.js';

/** A record in its longest form; a longer entry is not ours. */
const maxEntry = 4096;

/** One call at a time. Rejects with a Fault of code `store`. */
export class RecordVault {
  readonly #entries: SecretEntries;
  #lastTurn: Promise<unknown> = Promise.resolve();
  /** As they were when the first page was read. */
  #accounts: readonly string[] = [];

  constructor(entries: SecretEntries) {
    this.#entries = entries;
  }

  /** Entries that are gone are left out; one that can't be understood is null. Only the last page may be empty. */
  read(from: number): Promise<VaultPage> {
    return this.#inTurn(async () => {
      if (from === 0) this.#accounts = (await IndexEntry.read(this.#entries)).accounts;
      for (let start = from; ; start += MAX_VAULT_PAGE) {
        const end = start + MAX_VAULT_PAGE;
        const records = await this.#page(start, end);
        if (end >= this.#accounts.length) return { records };
        if (records.length > 0) return { records, next: end };
      }
    });
  }

  async #page(start: number, end: number): Promise<unknown[]> {
    const records: unknown[] = [];
    for (const account of this.#accounts.slice(start, end)) {
      const text = await this.#entries.get(account);
      if (text !== undefined) records.push(parseEntry(account, text) ?? null);
    }
    return records;
  }

  write({ put, remove }: VaultChange): Promise<void> {
    return this.#inTurn(async () => {
      // Read again: another agent of the same person may have written.
      const index = await IndexEntry.read(this.#entries);
      for (const record of put) await this.#entries.set(accountOf(record), JSON.stringify(record));
      for (const record of put) index.add(accountOf(record));
      for (const record of remove) index.remove(accountOf(record));
      await index.write(this.#entries);
      for (const record of remove) await this.#entries.delete(accountOf(record));
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }
}

/** The entry's name: what makes it the same record, readable for the person who looks into the keychain. */
export function accountOf({ kind, record }: VaultRecord): string {
  const place = formatEndpoint(record);
  if (kind === 'pin') return `key ${place} ${record.fingerprint}`;
  return record.name === undefined ? `cleartext ${place}` : `cleartext ${place} ${plain(record.name)}`;
}

/** Names come from outside: one that is long or holds odd characters is told by its hash. */
function plain(name: string): string {
  if (/^[a-zA-Z0-9._-]{1,100}$/.test(name)) return name;
  return `#${createHash('sha256').update(name).digest('base64url')}`;
}

/** Undefined also for a record that stands under another one's name: removing it would remove the other. */
function parseEntry(account: string, text: string): VaultRecord | undefined {
  if (text.length > maxEntry) return undefined;
  try {
    const record = vaultRecordSchema.parse(JSON.parse(text));
    return accountOf(record) === account ? record : undefined;
  } catch {
    return undefined;
  }
}
