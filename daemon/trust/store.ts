// The contract of a place that remembers servers: the file store, and the store that knows the users' keychains.
import type { Endpoint } from '../../shared/endpoint.js';
import type { KeyFingerprint } from '../../shared/fingerprint.js';
import type { NameSource } from '../../shared/trust.js';
import type { CleartextRecord, Owner, PinRecord, Place, SecuredRecord } from './pin-record.js';

/** What the store knows that bears on one connection. */
export interface Knowledge {
  /** Records that count for the owner and are about this server or this key. */
  readonly pins: readonly PinRecord[];
  /** The server was secure once, or a key is pinned for it (revoked ones included): cleartext is not an option. */
  readonly wasSecure: boolean;
  /** The owner (or the machine) allowed cleartext to this server for good. */
  readonly cleartextAllowed: boolean;
  /** The administrator's files know this server as secure: it is never used in clear, whatever a person answers. */
  readonly fixed: boolean;
  /** Something that the administrator has laid down can't be read: nothing may pass without a question that would have. */
  readonly uncertain: boolean;
}

export interface KnowledgeQuery {
  readonly owner: Owner;
  readonly server: Endpoint;
  readonly name: string | undefined;
  readonly nameFrom?: NameSource | undefined;
  /** More names of the address: what is remembered under them counts where it makes things stricter. */
  readonly alsoNamed?: readonly string[] | undefined;
  readonly fingerprint: KeyFingerprint | undefined;
}

/** Everything about one server that `keys remove` takes away with its last key. */
export interface StoreContents {
  readonly pins: readonly PinRecord[];
  readonly secured: readonly SecuredRecord[];
  readonly cleartext: readonly CleartextRecord[];
}

/**
 * All methods reject with a Fault of code `store`. When a method that changes something resolves, the change
 * survives a crash; `touch` and `rememberSecured` of a known server may be lost for a few seconds.
 */
export interface TrustStore {
  know(query: KnowledgeQuery): Promise<Knowledge>;
  /** As in `know`, but at once: true also when it can't be known now, which is the safe side. */
  wasSecure(query: KnowledgeQuery): boolean;
  /** Why the owner's keys can't be used now, a sentence; undefined when they can. */
  trouble(owner: Owner): string | undefined;
  /** Everything of one owner, or everything that can be had at this moment. */
  contents(owner?: Owner): Promise<StoreContents>;
  /** Adds a record or replaces the one of the same owner, address, port and fingerprint. */
  putPin(pin: PinRecord): Promise<void>;
  /**
   * Adds everything that is not there yet, in one step. A key that is there stays as it is, unless the new record
   * says that it is revoked. Returns how many keys were added or became revoked.
   */
  merge(contents: StoreContents): Promise<number>;
  /**
   * Removes records. With the last key that an owner has for a server, the store forgets for that owner that the
   * server was secure. Returns how many were removed.
   */
  removePins(pins: readonly PinRecord[]): Promise<number>;
  /** Forgets for one owner what it remembers of a place besides keys: that it was secure, that cleartext is allowed. */
  forgetPlace(place: Place): Promise<number>;
  /** Counts one more use of a key. */
  touch(pin: PinRecord, at: number): void;
  rememberSecured(record: SecuredRecord): Promise<void>;
  allowCleartext(record: CleartextRecord): Promise<void>;
  /** Writes what is not written yet. The store is not used afterwards. */
  close(): Promise<void>;
}
