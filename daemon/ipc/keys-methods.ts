// The IPC methods about keys: each caller works on what is theirs (actor.ts).
import { join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { parseIpAddress } from '../../shared/endpoint.js';
import { isSuperuser } from '../../shared/user-id.js';
import type { IpcParams, KeySelector, StoreView } from '../../shared/ipc-messages.js';
import type { LogFields } from '../sys/log.js';
import {
  isFixed,
  isSameName,
  type KeyFile,
  type Owner,
  type PinRecord,
  type Place,
} from '../trust/pin-record.js';
import type { FixedKeys } from '../trust/fixed-keys.js';
import type { StoreContents, TrustStore } from '../trust/store.js';
import { fixedInstead } from '../trust/verdict.js';
import { mayUse, ownerFor, type Actor } from './actor.js';
import type { MethodTable } from './dispatch.js';

export interface KeysWorld {
  readonly store: TrustStore;
  readonly fixed: Pick<FixedKeys, 'records' | 'folder'>;
  readonly mayTrust: boolean;
  readonly now: () => number;
  readonly note: (message: string, fields: LogFields) => void;
}

type KeysTable = Pick<
  MethodTable,
  | 'keys.list'
  | 'keys.find'
  | 'keys.add'
  | 'keys.remove'
  | 'keys.revoke'
  | 'keys.rename'
  | 'keys.export'
  | 'keys.import'
>;

export function keysMethods(world: KeysWorld): KeysTable {
  const { store } = world;
  return {
    'keys.list': async (_params, { actor }) => toView(await visible(world, actor)),
    'keys.find': async ({ selector }, { actor }) => toView(select(await visible(world, actor), selector)),
    'keys.add': async (params, { actor }) => ({ keys: await add(world, actor, params) }),
    'keys.remove': async ({ selector }, { actor }) => remove(world, actor, selector),
    'keys.revoke': async ({ selector }, { actor }) => ({ keys: await revoke(world, actor, selector) }),
    'keys.rename': async ({ selector, label }, { actor }) => ({
      keys: await rename(world, actor, selector, label),
    }),
    'keys.export': async (_params, { actor }) => toFile(await own(store, actor), actor),
    'keys.import': async ({ file }, { actor }) => {
      requireMayTrust(world, actor);
      const added = await store.merge(ownedBy(actor, file));
      world.note('keys imported', { added, byUid: actor.uid });
      return { added, unchanged: file.pins.length - added };
    },
  };
}

/** Root's view lacks those whose keychain can't be used now; whose own can't be used gets the sentence that says so. */
async function own(store: TrustStore, actor: Actor): Promise<StoreContents> {
  const mine = isSuperuser(actor.uid) ? undefined : await store.contents({ kind: 'user', uid: actor.uid });
  const { pins, secured, cleartext } =
    mine === undefined || actor.kind === 'all' ? await store.contents() : mine;
  const isOwn = (record: Place) => mayUse(actor, record.owner);
  return { pins: pins.filter(isOwn), secured: secured.filter(isOwn), cleartext: cleartext.filter(isOwn) };
}

/** What the actor sees: what is theirs, and what the administrator gives to everybody. */
async function visible({ store, fixed }: KeysWorld, actor: Actor): Promise<StoreContents> {
  const mine = await own(store, actor);
  return { ...mine, pins: [...fixed.records.pins, ...mine.pins] };
}

/** Throws the sentence for an actor who would change a key of the administrator's and nothing else. */
function requireOwn({ fixed }: KeysWorld, selector: KeySelector, found: StoreContents): void {
  if (found.pins.length + found.secured.length + found.cleartext.length > 0) return;
  const [pin] = select({ pins: fixed.records.pins, secured: [], cleartext: [] }, selector).pins.filter(
    isFixed,
  );
  if (pin === undefined) return;
  throw new Fault(
    'not-permitted',
    `This key was given by the administrator and can’t be changed here; it is in ${join(fixed.folder, pin.file)}.`,
  );
}

/** Root always may. */
function requireMayTrust({ mayTrust }: KeysWorld, actor: Actor): void {
  if (mayTrust || actor.kind === 'all') return;
  throw new Fault(
    'not-permitted',
    'The administrator has locked this (users.may_trust = false): which keys are trusted is not decided by people here.',
  );
}

function select(contents: StoreContents, selector: KeySelector): StoreContents {
  if (selector.kind === 'fingerprint') {
    const pins = contents.pins.filter((pin) => pin.fingerprint === selector.fingerprint);
    return { pins, secured: [], cleartext: [] };
  }
  const isHost = (place: Place) => isAtHost(place, selector);
  const here = contents.pins.filter(isHost);
  if (selector.kind === 'both') {
    return {
      pins: here.filter((pin) => pin.fingerprint === selector.fingerprint),
      secured: [],
      cleartext: [],
    };
  }
  return {
    pins: here,
    secured: contents.secured.filter(isHost),
    cleartext: contents.cleartext.filter(isHost),
  };
}

function isAtHost(
  place: Place,
  selector: { readonly host: string; readonly port?: number | undefined },
): boolean {
  if (selector.port !== undefined && selector.port !== place.port) return false;
  const address = parseIpAddress(selector.host);
  return address === undefined ? isSameName(place.name, selector.host) : place.address === address;
}

async function add(world: KeysWorld, actor: Actor, params: IpcParams<'keys.add'>): Promise<PinRecord[]> {
  const owner = ownerFor(actor, params.owner);
  if (!params.revoked) {
    requireMayTrust(world, actor);
    requireNotFixed(world, params);
  }
  const { pins } = await visible(world, actor);
  const isRevoked = pins.some((pin) => pin.fingerprint === params.fingerprint && pin.revoked);
  if (isRevoked && !params.revoked) {
    throw new Fault(
      'key',
      `This key was revoked. If that was a mistake, remove it first: ftpseal keys remove ${params.fingerprint}`,
    );
  }
  const added = params.addresses.map((address): PinRecord => ({
    owner,
    address,
    port: params.port,
    ...(params.name === undefined ? {} : { name: params.name }),
    fingerprint: params.fingerprint,
    mechanism: params.mechanism ?? 'TLS',
    firstSeen: world.now(),
    count: 0,
    revoked: params.revoked,
    comment: params.comment,
  }));
  for (const pin of added) await world.store.putPin(pin);
  world.note(params.revoked ? 'key revoked' : 'key added', {
    key: params.fingerprint,
    server: params.name ?? params.addresses.join(' '),
    byUid: actor.uid,
  });
  return added;
}

/** A key that would never count: the administrator has fixed another one there. */
function requireNotFixed({ fixed }: KeysWorld, params: IpcParams<'keys.add'>): void {
  const isFixedOtherwise = params.addresses.some((address) => {
    const { port, name, fingerprint } = params;
    const { pins } = fixed.records;
    return fixedInstead({ pins, server: { address, port }, name, fingerprint, vouchedFor: [] }).length > 0;
  });
  if (!isFixedOtherwise) return;
  throw new Fault(
    'not-permitted',
    `The administrator has fixed another key for this server (${fixed.folder}), so this one would never count.`,
  );
}

async function remove(world: KeysWorld, actor: Actor, selector: KeySelector) {
  requireMayTrust(world, actor);
  const found = select(await own(world.store, actor), selector);
  requireOwn(world, selector, found);
  await world.store.removePins(found.pins);
  // A server is meant as a whole: it may be known as secure without any key (trusted once, or its key gone before).
  const places = selector.kind === 'host' ? [...found.secured, ...found.cleartext] : [];
  const forgotten = await forgetPlaces(world.store, actor, places);
  world.note('keys removed', { keys: found.pins.length, forgotten, byUid: actor.uid });
  return { keys: [...found.pins], forgotten };
}

/** One user's keychain that can't be used now does not keep root from forgetting what concerns the others. */
async function forgetPlaces(store: TrustStore, actor: Actor, places: readonly Place[]): Promise<number> {
  let kept = 0;
  for (const place of places) {
    try {
      await store.forgetPlace(place);
    } catch (error) {
      if (place.owner.kind !== 'user' || place.owner.uid === actor.uid) throw error;
      kept++;
    }
  }
  if (kept === 0) return places.length;
  throw new Fault(
    'store',
    'Some of it belongs to users whose keychains can’t be used now, and was not forgotten; the rest was. Try again when they are unlocked.',
  );
}

async function revoke(world: KeysWorld, actor: Actor, selector: KeySelector): Promise<PinRecord[]> {
  const found = select(await own(world.store, actor), selector);
  requireOwn(world, selector, found);
  const { pins } = found;
  const revoked = pins.map((pin) => ({ ...pin, revoked: true }));
  for (const pin of revoked) {
    await world.store.putPin(pin);
    world.note('key revoked', { key: pin.fingerprint, server: pin.name ?? pin.address, byUid: actor.uid });
  }
  return revoked;
}

async function rename(
  world: KeysWorld,
  actor: Actor,
  selector: KeySelector,
  label: string,
): Promise<PinRecord[]> {
  const { store } = world;
  const found = select(await own(store, actor), selector);
  requireOwn(world, selector, found);
  const { pins } = found;
  const renamed = pins.map((pin): PinRecord => ({ ...pin, label: label === '' ? undefined : label }));
  for (const pin of renamed) await store.putPin(pin);
  return renamed;
}

function toView({ pins, secured, cleartext }: StoreContents): StoreView {
  return { keys: [...pins], secured: [...secured], cleartext: [...cleartext] };
}

/** To root's file belongs what is only claimed: it comes back as what it was. In a user's own file all of it is a claim. */
function toFile({ pins, secured, cleartext }: StoreContents, actor: Actor): KeyFile {
  const places = isSuperuser(actor.uid)
    ? secured
    : secured.map((record) => ({ ...record, claimed: undefined }));
  return { version: 1, pins: [...pins], secured: [...places], cleartext: [...cleartext] };
}

/**
 * Root restores what a file says; everybody else gets everything in it as their own. That a server was secure counts for all
 * users only where the daemon saw it, or root says so.
 */
function ownedBy(actor: Actor, file: KeyFile): StoreContents {
  if (isSuperuser(actor.uid)) return file;
  const owner: Owner = { kind: 'user', uid: actor.uid };
  const mine = <T extends Place>(records: readonly T[]) => records.map((record) => ({ ...record, owner }));
  const secured = mine(file.secured).map((record) => ({ ...record, claimed: true as const }));
  return { pins: mine(file.pins), secured, cleartext: mine(file.cleartext) };
}
