// What the stores have in common: questions about a set of records, and the set after a change. Pure; a store keeps the
// set and makes it last.
import { Fault } from '../../shared/fault.js';
import { isBoundByDns } from '../../shared/trust.js';
import {
  concernsOwner,
  isAtServer,
  isSameName,
  isSameOwner,
  MAX_RECORDS,
  MAX_RECORDS_PER_USER,
  type CleartextRecord,
  type PinRecord,
  type Place,
  type SecuredRecord,
} from './pin-record.js';
import type { Knowledge, KnowledgeQuery, StoreContents } from './store.js';

export const noRecords: StoreContents = { pins: [], secured: [], cleartext: [] };

export function knowledgeIn(records: StoreContents, query: KnowledgeQuery): Knowledge {
  const { owner, server, name, nameFrom, fingerprint } = query;
  const mine = <T extends Place>(all: readonly T[]) => all.filter((one) => concernsOwner(one, owner));
  const pins = mine(records.pins);
  const isHere = (pin: PinRecord) => namesOf(query).some((known) => isAtServer(pin, server, known));
  // A leave that was given for a name is not one for the address to which somebody lets that name resolve.
  const leaveUnder = isBoundByDns(nameFrom) ? undefined : name;
  return {
    pins: pins.filter((pin) => pin.fingerprint === fingerprint || isHere(pin)),
    wasSecure: pins.some(isHere) || wasSecure(records, query),
    cleartextAllowed: mine(records.cleartext).some((record) => isAtServer(record, server, leaveUnder)),
    fixed: false,
    uncertain: false,
  };
}

/** At least one, of which the first may be absent: then the address alone counts. */
export function namesOf({ name, alsoNamed = [] }: KnowledgeQuery): readonly (string | undefined)[] {
  return [name, ...alsoNamed];
}

// That an address was secure is a fact that one user's session proves for all; a name is only what that session
// called it, and must not let one user lock another out of some other server.
function wasSecure(records: StoreContents, query: KnowledgeQuery): boolean {
  const { owner, server } = query;
  return records.secured.some((record) => {
    if (record.port !== server.port) return false;
    const counts = concernsOwner(record, owner);
    if (record.address === server.address) return counts || record.claimed !== true;
    return counts && namesOf(query).some((name) => isSameName(record.name, name));
  });
}

/** Both, as if they were one set. */
export function bothOf(a: StoreContents, b: StoreContents): StoreContents {
  return {
    pins: [...a.pins, ...b.pins],
    secured: [...a.secured, ...b.secured],
    cleartext: [...a.cleartext, ...b.cleartext],
  };
}

/** The part whose owner passes. */
export function ownedBy(records: StoreContents, passes: (owner: Place['owner']) => boolean): StoreContents {
  const part = <T extends Place>(all: readonly T[]) => all.filter((one) => passes(one.owner));
  return {
    pins: part(records.pins),
    secured: part(records.secured),
    cleartext: part(records.cleartext),
  };
}

/** With a key added, or put in the place of the same one. Throws a Fault of code `store` when the set is full. */
export function withPin(records: StoreContents, pin: PinRecord): StoreContents {
  const others = records.pins.filter((other) => !isSamePin(other, pin));
  return { ...records, pins: bounded([...others, pin]) };
}

/** With everything that is not there yet; `changed` counts the keys that are new or newly revoked. */
export function merged(
  records: StoreContents,
  added: StoreContents,
): { readonly records: StoreContents; readonly changed: number } {
  const pins = new Map(records.pins.map((pin) => [pinKey(pin), pin]));
  const changed = added.pins.filter((pin) => mergePin(pins, pin)).length;
  const all = {
    pins: bounded([...pins.values()]),
    secured: bounded(mergeRecords(records.secured, added.secured)),
    cleartext: bounded(mergeRecords(records.cleartext, added.cleartext)),
  };
  return { records: all, changed };
}

/** Without these keys; `lastOf` are those that left no key of their owner at their place. */
export function withoutPins(
  records: StoreContents,
  gone: readonly PinRecord[],
): { readonly records: StoreContents; readonly lastOf: readonly PinRecord[] } {
  const pins = records.pins.filter((pin) => !gone.some((one) => isSamePin(one, pin)));
  const lastOf = gone.filter((one) => !pins.some((pin) => isSamePlace(pin, one)));
  return { records: { ...records, pins }, lastOf };
}

/** Without what is remembered of a place besides keys. */
export function withoutPlace(records: StoreContents, place: Place): StoreContents {
  return {
    pins: records.pins,
    secured: records.secured.filter((record) => !isSamePlace(record, place)),
    cleartext: records.cleartext.filter((record) => !isSamePlace(record, place)),
  };
}

/** With one more use of a key; undefined if it is not there. */
export function touched(records: StoreContents, pin: PinRecord, at: number): StoreContents | undefined {
  const index = records.pins.findIndex((other) => isSamePin(other, pin));
  const found = records.pins[index];
  if (found === undefined) return undefined;
  return { ...records, pins: records.pins.with(index, { ...found, lastUsed: at, count: found.count + 1 }) };
}

export function withSecured(records: StoreContents, record: SecuredRecord): StoreContents {
  const others = records.secured.filter((other) => !isSameRecord(other, record));
  const crowd = crowding([...others, record]);
  // Of a list that is too long the one that was not met for longest goes: the list is in the order of last use only by chance.
  const [oldest] = others
    .filter((other) => crowd !== undefined && isSameOwner(other.owner, crowd))
    .toSorted((a, b) => a.lastSecured - b.lastSecured);
  return { ...records, secured: [...others.filter((other) => other !== oldest), record] };
}

export function withCleartext(records: StoreContents, record: CleartextRecord): StoreContents {
  const others = records.cleartext.filter((other) => !isSameRecord(other, record));
  return { ...records, cleartext: bounded([...others, record]) };
}

function mergePin(pins: Map<string, PinRecord>, pin: PinRecord): boolean {
  const old = pins.get(pinKey(pin));
  if (old !== undefined && (old.revoked || !pin.revoked)) return false;
  pins.set(pinKey(pin), old === undefined ? pin : { ...old, revoked: true });
  return true;
}

function mergeRecords<T extends Place>(old: readonly T[], added: readonly T[]): T[] {
  return [...new Map([...added, ...old].map((record) => [recordKey(record), record])).values()];
}

function bounded<T extends Place>(records: T[]): T[] {
  if (crowding(records) === undefined) return records;
  const most = `${MAX_RECORDS_PER_USER} records of a kind for each user, ${MAX_RECORDS} in all`;
  throw new Fault('store', `The key store is full (${most}); remove keys that are not needed any more.`);
}

/** Whose records make the list too long: a user beyond the own bound, else whoever has most; undefined if it is not too long. */
function crowding(records: readonly Place[]): Place['owner'] | undefined {
  if (records.length <= MAX_RECORDS_PER_USER) return undefined;
  const counts = new Map<unknown, { readonly owner: Place['owner']; count: number }>();
  for (const { owner } of records) {
    const name = owner.kind === 'user' ? owner.uid : owner.kind;
    const entry = counts.get(name) ?? { owner, count: 0 };
    entry.count++;
    counts.set(name, entry);
  }
  const byCount = [...counts.values()].sort((a, b) => b.count - a.count);
  const greedy = byCount.find(({ owner, count }) => owner.kind === 'user' && count > MAX_RECORDS_PER_USER);
  return (greedy ?? (records.length > MAX_RECORDS ? byCount[0] : undefined))?.owner;
}

/** What makes two records of places the same. */
export function recordKey({ owner, address, port, name }: Place): string {
  return JSON.stringify([owner.kind === 'user' ? owner.uid : 'machine', address, port, name ?? null]);
}

/** What makes two keys' records the same. */
export function pinKey(pin: PinRecord): string {
  return `${recordKey({ ...pin, name: undefined })} ${pin.fingerprint}`;
}

export function isSamePlace(a: Place, b: Place): boolean {
  if (!isSameOwner(a.owner, b.owner) || a.port !== b.port) return false;
  return a.address === b.address || isSameName(a.name, b.name);
}

/** As if their `recordKey`s were compared; to make those of all records would take longer than a login. */
export function isSameRecord(a: Place, b: Place): boolean {
  return a.name === b.name && isSameSpot(a, b);
}

/** As if their `pinKey`s were compared. */
export function isSamePin(a: PinRecord, b: PinRecord): boolean {
  return a.fingerprint === b.fingerprint && isSameSpot(a, b);
}

function isSameSpot(a: Place, b: Place): boolean {
  return a.address === b.address && a.port === b.port && isSameOwner(a.owner, b.owner);
}
