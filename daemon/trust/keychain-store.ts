// The key store of a machine with desktops: each user's keys and permissions are in that user's keychain, once an agent has
// offered one; everything else (the machine's keys, users without agent) is in the file store. That a server was secure is
// the daemon's own observation and protects all users: it stays in the file, where no agent can take it away.
import { Fault } from '../../shared/fault.js';
import type { KeychainAgent, KeychainAgents } from './keychain-agent.js';
import { sentenceFor, sentences } from './keychain-sentences.js';
import type { KeychainUsers } from './keychain-users.js';
import type { FileStore } from './file-store.js';
import {
  isSameOwner,
  type CleartextRecord,
  type Owner,
  type PinRecord,
  type Place,
  type SecuredRecord,
} from './pin-record.js';
import * as change from './records.js';
import type { Knowledge, KnowledgeQuery, StoreContents, TrustStore } from './store.js';
import { UserVault, type UserVaultOptions } from './user-vault.js';
import { holdsAll, readVault, within, writeVault } from './vault-records.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { UserId } from '../../shared/user-id.js';

/** A session that waits longer looks broken; a keychain that takes longer waits for a person. */
const defaultWaitMs = 5000;
/** Records that came into the file while it was emptied are taken along, a few times. */
const maxMoves = 3;

export interface KeychainStoreOptions {
  readonly file: FileStore;
  readonly users: KeychainUsers;
  readonly agents: KeychainAgents;
  readonly note: UserVaultOptions['note'];
  readonly waitMs?: number;
}

/** How often the log takes the same message about one user: an agent can cause them without end. */
const noteEveryMs = 10_000;

/** See the head of the file, and TrustStore. */
export class KeychainStore implements TrustStore {
  readonly #options: KeychainStoreOptions;
  readonly #waitMs: number;
  readonly #vaults = new Map<UserId, UserVault>();
  /** First readings under way, of users whose records are still in the file. */
  readonly #moving = new Map<UserId, Promise<void>>();
  readonly #unsubscribe: () => void;

  constructor(options: KeychainStoreOptions) {
    this.#options = options;
    this.#waitMs = options.waitMs ?? defaultWaitMs;
    this.#unsubscribe = options.agents.subscribe((uid) => {
      this.#agentsChanged(uid);
    });
  }

  async know(query: KnowledgeQuery): Promise<Knowledge> {
    const vault = await this.#vaultOf(query.owner);
    const records = await vault?.records();
    const known = await this.#options.file.know(query);
    if (records === undefined) return known;
    const own = change.knowledgeIn(records, query);
    return {
      ...known,
      pins: [...known.pins, ...own.pins],
      wasSecure: known.wasSecure || own.wasSecure,
      cleartextAllowed: known.cleartextAllowed || own.cleartextAllowed,
    };
  }

  wasSecure(query: KnowledgeQuery): boolean {
    const { owner } = query;
    if (this.#options.file.wasSecure(query)) return true;
    if (owner.kind !== 'user') return false;
    if (!this.#options.users.has(owner.uid)) return this.#moving.has(owner.uid);
    const records = this.#vaults.get(owner.uid)?.current;
    return records === undefined || change.knowledgeIn(records, query).wasSecure;
  }

  trouble(owner: Owner): string | undefined {
    const { users, agents, file } = this.#options;
    // Which servers were secure is in the file for everybody.
    if (owner.kind !== 'user' || !users.has(owner.uid)) return file.trouble();
    if (this.#vaults.get(owner.uid)?.current !== undefined) return file.trouble();
    return sentenceFor(agents.vaultOf(owner.uid));
  }

  /** Of all owners: without those whose keychain can't be used now. */
  async contents(owner?: Owner): Promise<StoreContents> {
    const { file } = this.#options;
    if (owner !== undefined) {
      const vault = await this.#vaultOf(owner);
      const records = await vault?.records();
      return change.bothOf(await file.contents(owner), records ?? change.noRecords);
    }
    const loaded = [...this.#vaults].flatMap(([uid, vault]) =>
      this.#options.users.has(uid) ? (vault.current ?? []) : [],
    );
    return loaded.reduce(change.bothOf, await file.contents());
  }

  async putPin(pin: PinRecord): Promise<void> {
    const vault = await this.#vaultOf(pin.owner);
    if (vault === undefined) await this.#options.file.putPin(pin);
    else await vault.change((records) => change.withPin(records, pin));
  }

  async merge(contents: StoreContents): Promise<number> {
    let count = 0;
    let rest = contents;
    for (const owner of ownersIn(contents)) {
      const vault = await this.#vaultOf(owner);
      if (vault === undefined) continue;
      const own = change.ownedBy(contents, (other) => isSameOwner(other, owner));
      await vault.change((before) => {
        const { records, changed } = change.merged(before, { ...own, secured: [] });
        count += changed;
        return records;
      });
      rest = change.ownedBy(rest, (other) => !isSameOwner(other, owner));
      rest = { ...rest, secured: [...rest.secured, ...own.secured] };
    }
    return count + (await this.#options.file.merge(rest));
  }

  async removePins(pins: readonly PinRecord[]): Promise<number> {
    let removed = 0;
    for (const owner of ownersIn({ ...change.noRecords, pins })) {
      const own = pins.filter((pin) => isSameOwner(pin.owner, owner));
      const vault = await this.#vaultOf(owner);
      removed +=
        vault === undefined ? await this.#options.file.removePins(own) : await this.#removeFrom(vault, own);
    }
    return removed;
  }

  async #removeFrom(vault: UserVault, pins: readonly PinRecord[]): Promise<number> {
    let removed = 0;
    let places: readonly Place[] = [];
    await vault.change((before) => {
      const { records, lastOf } = change.withoutPins(before, pins);
      removed = before.pins.length - records.pins.length;
      places = lastOf;
      return lastOf.reduce(change.withoutPlace, records);
    });
    for (const place of places) await this.#options.file.forgetPlace(place);
    return removed;
  }

  async forgetPlace(place: Place): Promise<number> {
    const vault = await this.#vaultOf(place.owner);
    let removed = 0;
    await vault?.change((before) => {
      const records = change.withoutPlace(before, place);
      removed = before.cleartext.length - records.cleartext.length;
      return records;
    });
    return removed + (await this.#options.file.forgetPlace(place));
  }

  touch(pin: PinRecord, at: number): void {
    const { owner } = pin;
    if (owner.kind === 'user' && this.#options.users.has(owner.uid))
      this.#vaults.get(owner.uid)?.touch(pin, at);
    else this.#options.file.touch(pin, at);
  }

  rememberSecured(record: SecuredRecord): Promise<void> {
    return this.#options.file.rememberSecured(record);
  }

  async allowCleartext(record: CleartextRecord): Promise<void> {
    const vault = await this.#vaultOf(record.owner);
    if (vault === undefined) await this.#options.file.allowCleartext(record);
    else await vault.change((records) => change.withCleartext(records, record));
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    for (const vault of this.#vaults.values()) await vault.close();
    await this.#options.file.close();
  }

  /** Where the owner's records are; undefined: in the file. Waits for a move that is under way. */
  async #vaultOf(owner: Owner): Promise<UserVault | undefined> {
    if (owner.kind !== 'user') return undefined;
    const { users } = this.#options;
    const moving = this.#moving.get(owner.uid);
    if (moving !== undefined && !users.has(owner.uid)) await within(this.#waitMs, moving);
    return users.has(owner.uid) ? this.#vault(owner.uid) : undefined;
  }

  #vault(uid: UserId): UserVault {
    const known = this.#vaults.get(uid);
    if (known !== undefined) return known;
    const { agents, note } = this.#options;
    const noted = new Map<string, number>();
    const vault = new UserVault({
      uid,
      agents,
      note: (message, fields) => {
        if (steadyNow() - (noted.get(message) ?? -noteEveryMs) < noteEveryMs) return;
        noted.set(message, steadyNow());
        note(message, fields);
      },
      waitMs: this.#waitMs,
      adopt: (agent, records) => this.#adopt(uid, agent, records),
    });
    this.#vaults.set(uid, vault);
    return vault;
  }

  #agentsChanged(uid: UserId): void {
    const { agents, users } = this.#options;
    if (!users.has(uid) && agents.ready(uid) === undefined) return;
    const reading = this.#vault(uid).agentsChanged();
    if (users.has(uid)) return;
    // If this fails, the records stay where they are: in the file.
    this.#moving.set(uid, reading);
    void reading.then(() => {
      if (this.#moving.get(uid) === reading) this.#moving.delete(uid);
    });
  }

  /**
   * Moves what the file holds of this user into the keychain. It leaves the file only after the keychain has confirmed it
   * and has shown it again; from then on the keychain is the only place that counts for this user.
   */
  async #adopt(uid: UserId, agent: KeychainAgent, found: StoreContents): Promise<StoreContents> {
    const { file, users, note } = this.#options;
    const owner: Owner = { kind: 'user', uid };
    let records = found;
    for (let moves = 0; moves < maxMoves; moves++) {
      const left = { ...(await file.contents(owner)), secured: [] };
      const count = left.pins.length + left.cleartext.length;
      if (count > 0) {
        const { records: wanted } = change.merged(records, left);
        await writeVault(agent, records, wanted, this.#waitMs);
        records = (await readVault(agent, owner, this.#waitMs)).records;
        if (!holdsAll(records, wanted)) throw new Fault('store', sentences.notTaken);
      }
      await users.add(uid);
      if (count === 0) break;
      await file.release(left);
      note('keys were moved to the keychain of their user', { uid, count });
    }
    return records;
  }
}

function ownersIn({ pins, secured, cleartext }: StoreContents): readonly Owner[] {
  const owners = [...pins, ...secured, ...cleartext].map((record) => record.owner);
  return [...new Map(owners.map((owner) => [owner.kind === 'user' ? owner.uid : 'machine', owner])).values()];
}
