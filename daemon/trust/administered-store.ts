// A store that knows, besides what people and the daemon remember, the keys that the administrator gives to everybody. They count
// before all others, and nothing here can change them.
import { isAtServer, isFixed, type Owner, type PinRecord, type Place } from './pin-record.js';
import type { FixedKeys } from './fixed-keys.js';
import type { FixedRecords } from './keys-folder.js';
import { namesOf } from './records.js';
import type { Knowledge, KnowledgeQuery, StoreContents, TrustStore } from './store.js';

/** See the head of the file, and TrustStore: `contents` is what can be changed, so the administrator's keys are not in it. */
export class AdministeredStore implements TrustStore {
  readonly #inner: TrustStore;
  readonly #fixed: FixedKeys;

  constructor(inner: TrustStore, fixed: FixedKeys) {
    this.#inner = inner;
    this.#fixed = fixed;
  }

  async know(query: KnowledgeQuery): Promise<Knowledge> {
    const known = await this.#inner.know(query);
    const { pins, secured } = recordsFor(this.#fixed.records, query);
    const here = isHere(query);
    const fixed = secured.length > 0 || pins.some(here);
    return {
      // The administrator's first: where both know a key, it is the administrator's that is used.
      pins: [...pins, ...known.pins],
      wasSecure: known.wasSecure || fixed,
      cleartextAllowed: known.cleartextAllowed && !fixed,
      fixed,
      uncertain: known.uncertain || this.#fixed.uncertain,
    };
  }

  wasSecure(query: KnowledgeQuery): boolean {
    const { pins, secured } = recordsFor(this.#fixed.records, { ...query, fingerprint: undefined });
    return pins.length + secured.length > 0 || this.#inner.wasSecure(query);
  }

  trouble(owner: Owner): string | undefined {
    return this.#inner.trouble(owner);
  }

  contents(owner?: Owner): Promise<StoreContents> {
    return this.#inner.contents(owner);
  }

  putPin(pin: PinRecord): Promise<void> {
    return this.#inner.putPin(pin);
  }

  merge(contents: StoreContents): Promise<number> {
    return this.#inner.merge(contents);
  }

  removePins(pins: readonly PinRecord[]): Promise<number> {
    return this.#inner.removePins(pins.filter((pin) => !isFixed(pin)));
  }

  forgetPlace(place: Place): Promise<number> {
    return this.#inner.forgetPlace(place);
  }

  touch(pin: PinRecord, at: number): void {
    if (isFixed(pin)) this.#fixed.touch(pin, at);
    else this.#inner.touch(pin, at);
  }

  rememberSecured(record: Parameters<TrustStore['rememberSecured']>[0]): Promise<void> {
    return this.#inner.rememberSecured(record);
  }

  allowCleartext(record: Parameters<TrustStore['allowCleartext']>[0]): Promise<void> {
    return this.#inner.allowCleartext(record);
  }

  async close(): Promise<void> {
    this.#fixed.close();
    await this.#inner.close();
  }
}

function isHere(query: KnowledgeQuery): (place: Place) => boolean {
  return (place) => namesOf(query).some((name) => isAtServer(place, query.server, name));
}

function recordsFor({ pins, secured }: FixedRecords, query: KnowledgeQuery): FixedRecords {
  const here = isHere(query);
  return {
    pins: pins.filter((pin) => pin.fingerprint === query.fingerprint || here(pin)),
    secured: secured.filter(here),
  };
}
