// The key store in one file, keys.json, which only its owner may read. Everything is held in memory; every change
// is written whole and atomically, one write after the other, so that no update gets lost.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../shared/fault.js';
import { makePrivateFolder, writeFileAtomic } from '../sys/atomic-file.js';
import { diskReason } from '../sys/disk-reason.js';
import {
  isSameOwner,
  keyFileSchema,
  type CleartextRecord,
  type Owner,
  type PinRecord,
  type Place,
  type SecuredRecord,
} from './pin-record.js';
import * as change from './records.js';
import type { Knowledge, KnowledgeQuery, StoreContents, TrustStore } from './store.js';

export const keyFileName = 'keys.json';

/** 20 000 records of each kind in their longest usual form fit; a larger file is not ours. */
const maxBytes = 64 * 1024 * 1024;
/** How long a use count may stay unwritten: a program that opens hundreds of sessions must not cause hundreds of syncs. */
const touchDelayMs = 2000;
/** After a write that failed: whether it can be written again is found out without anybody's doing. */
const retryMs = 15_000;

/** See TrustStore. Made by `FileStore.open`. */
export class FileStore implements TrustStore {
  readonly #path: string;
  #records: StoreContents;
  #lastTurn: Promise<void> = Promise.resolve();
  #touchTimer: NodeJS.Timeout | undefined;
  #trouble: string | undefined;
  readonly #onTrouble: (trouble: string | undefined) => void;

  private constructor(path: string, records: StoreContents, onTrouble: TroubleListener) {
    this.#path = path;
    this.#records = records;
    this.#onTrouble = onTrouble;
  }

  /**
   * Opens the store in a folder, which is made if need be. A missing file is an empty store. A file that is
   * damaged, of another version or too large is a Fault of code `store` and stays as it is.
   * `onTrouble` hears when it can't be written any more, and with undefined when it can again.
   */
  static async open(folder: string, onTrouble: TroubleListener = () => undefined): Promise<FileStore> {
    try {
      await makePrivateFolder(folder);
    } catch (error) {
      throw new Fault('store', `The folder ${folder} can’t be made private and used for keys.`, error);
    }
    const path = join(folder, keyFileName);
    return new FileStore(path, await readKeyFile(path), onTrouble);
  }

  know(query: KnowledgeQuery): Promise<Knowledge> {
    return Promise.resolve(change.knowledgeIn(this.#records, query));
  }

  wasSecure(query: KnowledgeQuery): boolean {
    return change.knowledgeIn(this.#records, query).wasSecure;
  }

  trouble(): string | undefined {
    return this.#trouble;
  }

  contents(owner?: Owner): Promise<StoreContents> {
    const isMeant = (other: Owner) => owner === undefined || isSameOwner(other, owner);
    return Promise.resolve(change.ownedBy(this.#records, isMeant));
  }

  putPin(pin: PinRecord): Promise<void> {
    return this.#change((records) => change.withPin(records, pin));
  }

  async merge(contents: StoreContents): Promise<number> {
    let count = 0;
    await this.#change((before) => {
      const { records, changed } = change.merged(before, contents);
      count = changed;
      return records;
    });
    return count;
  }

  async removePins(pins: readonly PinRecord[]): Promise<number> {
    let removed = 0;
    await this.#change((before) => {
      const { records, lastOf } = change.withoutPins(before, pins);
      removed = before.pins.length - records.pins.length;
      return lastOf.reduce(change.withoutPlace, records);
    });
    return removed;
  }

  async forgetPlace(place: Place): Promise<number> {
    let removed = 0;
    await this.#change((before) => {
      const after = change.withoutPlace(before, place);
      removed = countPlaces(before) - countPlaces(after);
      return after;
    });
    return removed;
  }

  /** Removes exactly these keys and permissions, unless they were changed meanwhile; that servers were secure stays known. */
  release({ pins, cleartext }: StoreContents): Promise<void> {
    return this.#change((records) => ({
      pins: records.pins.filter((pin) => !pins.includes(pin)),
      secured: records.secured,
      cleartext: records.cleartext.filter((record) => !cleartext.includes(record)),
    }));
  }

  touch(pin: PinRecord, at: number): void {
    const after = change.touched(this.#records, pin, at);
    if (after === undefined) return;
    this.#records = after;
    this.#writeSoon();
  }

  async rememberSecured(record: SecuredRecord): Promise<void> {
    if (!this.#records.secured.some((other) => change.isSameRecord(other, record))) {
      await this.#change((records) => change.withSecured(records, record));
      return;
    }
    this.#records = change.withSecured(this.#records, record);
    this.#writeSoon();
  }

  allowCleartext(record: CleartextRecord): Promise<void> {
    return this.#change((records) => change.withCleartext(records, record));
  }

  async close(): Promise<void> {
    const pending = this.#touchTimer !== undefined;
    clearTimeout(this.#touchTimer);
    this.#touchTimer = undefined;
    // A count that can't be written is not worth a stop that fails.
    await this.#inTurn(() => (pending ? this.#write() : Promise.resolve())).catch(() => undefined);
  }

  /**
   * Changes memory and writes, one change after the other. If the file can't be written, memory goes back, so that
   * both always say the same; the turn lasts until then, so no later change is undone with it.
   */
  #change(apply: (records: StoreContents) => StoreContents): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#records;
      try {
        this.#records = apply(before);
        await this.#write();
      } catch (error) {
        this.#records = before;
        throw error;
      }
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => undefined);
    return turn;
  }

  #writeSoon(ms = touchDelayMs): void {
    this.#touchTimer ??= setTimeout(() => {
      this.#touchTimer = undefined;
      // A count that can't be written is not worth stopping for; `trouble` says it, and it is tried again.
      void this.#inTurn(() => this.#write()).catch(() => undefined);
    }, ms).unref();
  }

  #setTrouble(trouble: string | undefined): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#onTrouble(trouble);
  }

  async #write(): Promise<void> {
    try {
      await writeFileAtomic(
        this.#path,
        `${JSON.stringify({ version: 1, ...this.#records }, undefined, 1)}\n`,
      );
      this.#setTrouble(undefined);
    } catch (error) {
      this.#setTrouble(
        `The key store ${this.#path} can’t be written (${diskReason(error)}): ` +
          'what is known stays, new servers and new decisions are refused until it can.',
      );
      this.#writeSoon(retryMs);
      throw new Fault('store', `The key store ${this.#path} can’t be written; nothing was changed.`, error);
    }
  }
}

type TroubleListener = (trouble: string | undefined) => void;

async function readKeyFile(path: string): Promise<StoreContents> {
  const text = await readText(path);
  if (text === undefined) return change.noRecords;
  try {
    const { pins, secured, cleartext } = keyFileSchema.parse(JSON.parse(text));
    return { pins, secured, cleartext };
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

function countPlaces({ secured, cleartext }: StoreContents): number {
  return secured.length + cleartext.length;
}
