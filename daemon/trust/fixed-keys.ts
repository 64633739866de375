// The keys that the administrator gives to everybody, as they stand in the folder keys.d now: read at the start, watched, read
// again when told. A file that can't be read any more keeps counting as it was last read; one that never could be read leaves
// the whole uncertain, and then nothing new is trusted without a question.
import { watch, type FSWatcher } from 'node:fs';
import type { Administrators } from '../sys/administered.js';
import type { LogFields } from '../sys/log.js';
import {
  readKeysFolder,
  stampOf,
  type FileReading,
  type FixedRecords,
  type FolderReading,
} from './keys-folder.js';
import type { FixedPin, PinRecord } from './pin-record.js';
import { isSamePin, pinKey } from './records.js';

export interface FixedKeysOptions {
  /** Absolute path of keys.d, which need not be there. */
  readonly folder: string;
  readonly also: Administrators;
  readonly note: (level: 'info' | 'warn', message: string, fields: LogFields) => void;
}

/** A roll-out writes many files, each in several steps. */
const SETTLE_MS = 400;
/** Each is looked up at the machine's resolver, every few minutes while there are sessions. */
const MAX_NAMES = 256;
/** As many sentences as a person reads; the log has all of them. */
const MAX_SENTENCES = 8;

const nothing: FixedRecords = { pins: [], secured: [] };

/** See the head of the file. `load` once before its first use. */
export class FixedKeys {
  readonly #options: FixedKeysOptions;
  readonly #files = new Map<string, FixedRecords>();
  readonly #uses = new Map<string, { readonly at: number; readonly count: number }>();
  #records: FixedRecords = nothing;
  #names: readonly { readonly name: string; readonly port: number }[] = [];
  #sentences: readonly string[] = [];
  #uncertain = false;
  #stamp = '';
  #watcher: FSWatcher | undefined;
  #settling: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: FixedKeysOptions) {
    this.#options = options;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** All files together, with the uses counted since the start. */
  get records(): FixedRecords {
    return this.#records;
  }

  /** The servers that are named in them, another list after each reading: by name they are recognised wherever they are. */
  get names(): readonly { readonly name: string; readonly port: number }[] {
    return this.#names;
  }

  /** Whether something could never be read: it may be about any server. */
  get uncertain(): boolean {
    return this.#uncertain;
  }

  /** What is wrong, a sentence each, for status and doctor. */
  get troubles(): readonly string[] {
    const shown = this.#sentences.slice(0, MAX_SENTENCES);
    const more = this.#sentences.length - shown.length;
    return more > 0 ? [...shown, `keys.d has ${more} more troubles; see ftpseal log.`] : shown;
  }

  /** Reads everything now, one reading after the other. Never rejects. */
  load(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#load());
    return this.#turn;
  }

  /** The same if something has changed: for where there is nothing to watch, and for what a watcher missed. */
  async refresh(): Promise<void> {
    if ((await stampOf(this.folder)) !== this.#stamp) await this.load();
  }

  touch(pin: PinRecord, at: number): void {
    const key = pinKey(pin);
    this.#uses.set(key, { at, count: (this.#uses.get(key)?.count ?? 0) + 1 });
    const pins = this.#records.pins.map((one) => (isSamePin(one, pin) ? this.#used(one) : one));
    this.#records = { ...this.#records, pins };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#settling);
    this.#watcher?.close();
  }

  async #load(): Promise<void> {
    const { folder, also, note } = this.#options;
    this.#watch();
    this.#stamp = await stampOf(folder);
    const reading = await readKeysFolder(folder, also);
    const before = this.#sentences;
    this.#sentences = this.#take(reading);
    const files = [...this.#files.values()];
    this.#records = {
      pins: files.flatMap(({ pins }) => pins).map((pin) => this.#used(pin)),
      secured: files.flatMap(({ secured }) => secured),
    };
    const named = [...this.#records.pins, ...this.#records.secured].flatMap(({ name, port }) =>
      name === undefined ? [] : [{ name, port }],
    );
    this.#names = [...new Map(named.map((one) => [`${one.name} ${one.port}`, one])).values()].slice(
      0,
      MAX_NAMES,
    );
    const present = new Set(this.#records.pins.map(pinKey));
    for (const key of this.#uses.keys()) if (!present.has(key)) this.#uses.delete(key);
    for (const sentence of this.#sentences) if (!before.includes(sentence)) note('warn', sentence, {});
    note('info', 'the administrator’s keys were read', {
      folder,
      files: this.#files.size,
      keys: this.#records.pins.length,
    });
  }

  /** Takes over what was read; gives the sentences. */
  #take(reading: FolderReading): readonly string[] {
    if (reading.kind === 'missing') {
      this.#files.clear();
      this.#uncertain = false;
      return [];
    }
    if (reading.kind === 'refused') {
      this.#uncertain = this.#files.size === 0;
      return [this.#files.size === 0 ? reading.sentence : `${reading.sentence} ${stays}`];
    }
    const names = new Set(reading.files.map(({ name }) => name));
    for (const name of this.#files.keys()) if (!names.has(name)) this.#files.delete(name);
    const bad = reading.files.filter((file) => file.kind === 'bad');
    this.#uncertain = bad.some(({ name }) => !this.#files.has(name));
    for (const file of reading.files) if (file.kind === 'good') this.#files.set(file.name, file.records);
    return bad.map((file) => this.#sentenceOf(file));
  }

  #sentenceOf({ name, sentence }: Extract<FileReading, { readonly kind: 'bad' }>): string {
    return this.#files.has(name) ? `${sentence} ${stays}` : sentence;
  }

  #used(pin: FixedPin): FixedPin {
    const use = this.#uses.get(pinKey(pin));
    return use === undefined ? pin : { ...pin, lastUsed: use.at, count: use.count };
  }

  /** Anew at each reading: the folder may be another one by now. Without it nothing is watched, and `refresh` finds it. */
  #watch(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#closed) return;
    try {
      const watcher = watch(this.folder, { persistent: false }, () => {
        this.#settle();
      });
      watcher.on('error', () => {
        watcher.close();
      });
      this.#watcher = watcher;
    } catch {
      // The folder is not there, or there are no watchers left.
    }
  }

  #settle(): void {
    if (this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.load();
    }, SETTLE_MS).unref();
  }
}

const stays = 'What was read before it went wrong stays in force.';
