// The key store in one file, keys.json, which only its owner may read. Everything is held in memory; every change
// is written whole and atomically, one write after the other, so that no update gets lost.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import { makePrivateFolder, writeFileAtomic } from '../sys/atomic-file.js';
import {
  concernsOwner,
  isAtServer,
  isSameName,
  isSameOwner,
  keyFileSchema,
  MAX_RECORDS,
  type CleartextRecord,
  type KeyFile,
  type PinRecord,
  type Place,
  type SecuredRecord,
} from './pin-record.js';
import type { Knowledge, KnowledgeQuery, StoreContents, TrustStore } from './store.js';

export const keyFileName = 'keys.json';

/** 20 000 records of each kind in their longest usual form fit; a larger file is not ours. */
const maxBytes = 64 * 1024 * 1024;
/** How long a use count may stay unwritten: a program that opens hundreds of sessions must not cause hundreds of syncs. */
const touchDelayMs = 2000;

type MutableKeyFile = { -readonly [K in keyof KeyFile]: KeyFile[K] };

/** See TrustStore. Made by `FileStore.open`. */
export class FileStore implements TrustStore {
  readonly #path: string;
  readonly #data: MutableKeyFile;
  #lastTurn: Promise<void> = Promise.resolve();
  #touchTimer: NodeJS.Timeout | undefined;

  private constructor(path: string, data: MutableKeyFile) {
    this.#path = path;
    this.#data = data;
  }

  /**
   * Opens the store in a folder, which is made if need be. A missing file is an empty store. A file that is
   * damaged, of another version or too large is a Fault of code `store` and stays as it is.
   */
  static async open(folder: string): Promise<FileStore> {
    try {
      await makePrivateFolder(folder);
    } catch (error) {
      throw new Fault('store', `The folder ${folder} can’t be made private and used for keys.`, error);
    }
    const path = join(folder, keyFileName);
    return new FileStore(path, await readKeyFile(path));
  }

  know(query: KnowledgeQuery): Promise<Knowledge> {
    const { owner, server, name, fingerprint } = query;
    const mine = <T extends Place>(records: readonly T[]) => records.filter((r) => concernsOwner(r, owner));
    const pins = mine(this.#data.pins);
    const pinned = pins.some((pin) => isAtServer(pin, server, name));
    return Promise.resolve({
      pins: pins.filter((pin) => pin.fingerprint === fingerprint || isAtServer(pin, server, name)),
      wasSecure: pinned || this.#wasSecure(query),
      cleartextAllowed: mine(this.#data.cleartext).some((record) => isAtServer(record, server, name)),
    });
  }

  // That an address was secure is a fact that one user's session proves for all; a name is only what that session
  // called it, and must not let one user lock another out of some other server.
  #wasSecure({ owner, server, name }: KnowledgeQuery): boolean {
    return this.#data.secured.some((record) => {
      if (record.port !== server.port) return false;
      if (record.address === server.address) return true;
      return concernsOwner(record, owner) && isSameName(record.name, name);
    });
  }

  contents(): Promise<StoreContents> {
    const { pins, secured, cleartext } = this.#data;
    return Promise.resolve({ pins: [...pins], secured: [...secured], cleartext: [...cleartext] });
  }

  putPin(pin: PinRecord): Promise<void> {
    return this.#change(() => {
      const others = this.#data.pins.filter((other) => !isSamePin(other, pin));
      if (others.length >= MAX_RECORDS) {
        throw new Fault('store', 'The key store is full; remove keys that are not needed any more.');
      }
      this.#data.pins = [...others, pin];
    });
  }

  async merge(contents: StoreContents): Promise<number> {
    let changed = 0;
    await this.#change(() => {
      const pins = new Map(this.#data.pins.map((pin) => [pinKey(pin), pin]));
      changed = contents.pins.filter((pin) => mergePin(pins, pin)).length;
      this.#data.pins = bounded([...pins.values()]);
      this.#data.secured = bounded(mergeRecords(this.#data.secured, contents.secured));
      this.#data.cleartext = bounded(mergeRecords(this.#data.cleartext, contents.cleartext));
    });
    return changed;
  }

  async removePins(pins: readonly PinRecord[]): Promise<number> {
    let removed = 0;
    await this.#change(() => {
      const before = this.#data.pins.length;
      this.#data.pins = this.#data.pins.filter((pin) => !pins.some((gone) => isSamePin(gone, pin)));
      for (const gone of pins) {
        if (!this.#data.pins.some((pin) => isSamePlace(pin, gone))) this.#forget(gone);
      }
      removed = before - this.#data.pins.length;
    });
    return removed;
  }

  async forgetPlace(place: Place): Promise<number> {
    const count = () => this.#data.secured.length + this.#data.cleartext.length;
    let removed = 0;
    await this.#change(() => {
      const before = count();
      this.#forget(place);
      removed = before - count();
    });
    return removed;
  }

  #forget(place: Place): void {
    this.#data.secured = this.#data.secured.filter((record) => !isSamePlace(record, place));
    this.#data.cleartext = this.#data.cleartext.filter((record) => !isSamePlace(record, place));
  }

  touch(pin: PinRecord, at: number): void {
    const index = this.#data.pins.findIndex((other) => isSamePin(other, pin));
    const found = this.#data.pins[index];
    if (found === undefined) return;
    this.#data.pins[index] = { ...found, lastUsed: at, count: found.count + 1 };
    this.#writeSoon();
  }

  async rememberSecured(record: SecuredRecord): Promise<void> {
    const index = this.#data.secured.findIndex((other) => isSameRecord(other, record));
    if (index >= 0) {
      this.#data.secured[index] = record;
      this.#writeSoon();
      return;
    }
    await this.#change(() => {
      // Of a full list the one that was not met for longest goes: the list is in the order of last use only by chance.
      const kept = [...this.#data.secured].sort((a, b) => b.lastSecured - a.lastSecured);
      this.#data.secured = [...kept.slice(0, MAX_RECORDS - 1), record];
    });
  }

  allowCleartext(record: CleartextRecord): Promise<void> {
    return this.#change(() => {
      const others = this.#data.cleartext.filter((other) => !isSameRecord(other, record));
      if (others.length >= MAX_RECORDS) throw new Fault('store', 'The key store is full.');
      this.#data.cleartext = [...others, record];
    });
  }

  async close(): Promise<void> {
    const pending = this.#touchTimer !== undefined;
    clearTimeout(this.#touchTimer);
    this.#touchTimer = undefined;
    await this.#inTurn(() => (pending ? this.#write() : Promise.resolve()));
  }

  /**
   * Changes memory and writes, one change after the other. If the file can't be written, memory goes back, so that
   * both always say the same; the turn lasts until then, so no later change is undone with it.
   */
  #change(apply: () => void): Promise<void> {
    return this.#inTurn(async () => {
      const before = { ...this.#data };
      try {
        apply();
        await this.#write();
      } catch (error) {
        Object.assign(this.#data, before);
        throw error;
      }
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  #writeSoon(): void {
    this.#touchTimer ??= setTimeout(() => {
      this.#touchTimer = undefined;
      // A count that can't be written is not worth stopping for; the next real change reports the failure.
      void this.#inTurn(() => this.#write()).catch(() => undefined);
    }, touchDelayMs).unref();
  }

  async #write(): Promise<void> {
    try {
      await writeFileAtomic(this.#path, `${JSON.stringify(this.#data, undefined, 1)}\n`);
    } catch (error) {
      throw new Fault('store', `The key store ${this.#path} can’t be written; nothing was changed.`, error);
    }
  }
}

async function readKeyFile(path: string): Promise<MutableKeyFile> {
  const text = await readText(path);
  if (text === undefined) return { version: 1, pins: [], secured: [], cleartext: [] };
  try {
    return keyFileSchema.parse(JSON.parse(text));
  } catch (error) {
    const what = error instanceof z.ZodError ? (error.issues[0]?.message ?? 'wrong form') : 'no JSON';
    throw new Fault(
      'store',
      `The key store ${path} is damaged (${what}). It was left as it is: repair it, or move it away to start with no keys.`,
      error,
    );
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) throw new Fault('store', `The key store ${path} is larger than ${maxBytes} bytes.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    if (error instanceof Fault) throw error;
    throw new Fault('store', `The key store ${path} can’t be read.`, error);
  }
}

function mergePin(pins: Map<string, PinRecord>, pin: PinRecord): boolean {
  const old = pins.get(pinKey(pin));
  if (old !== undefined && (old.revoked || !pin.revoked)) return false;
  pins.set(pinKey(pin), old === undefined ? pin : { ...old, revoked: true });
  return true;
}

function mergeRecords<T extends Place>(old: readonly T[], added: readonly T[]): T[] {
  const merged = new Map([...added, ...old].map((record) => [recordKey(record), record]));
  return [...merged.values()];
}

function bounded<T>(records: T[]): T[] {
  if (records.length > MAX_RECORDS)
    throw new Fault('store', `The key store holds at most ${MAX_RECORDS} records of a kind.`);
  return records;
}

function recordKey({ owner, address, port, name }: Place): string {
  return JSON.stringify([owner.kind === 'user' ? owner.uid : 'machine', address, port, name ?? null]);
}

function pinKey(pin: PinRecord): string {
  return `${recordKey({ ...pin, name: undefined })} ${pin.fingerprint}`;
}

function isSamePlace(a: Place, b: Place): boolean {
  if (!isSameOwner(a.owner, b.owner) || a.port !== b.port) return false;
  return a.address === b.address || isSameName(a.name, b.name);
}

function isSameRecord(a: Place, b: Place): boolean {
  return recordKey(a) === recordKey(b);
}

function isSamePin(a: PinRecord, b: PinRecord): boolean {
  return pinKey(a) === pinKey(b);
}
