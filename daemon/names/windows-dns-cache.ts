// Learns what programs of this machine looked up from the DNS cache of Windows. The cache tells nothing by itself, so it is looked at
// when a session asks: what it has lost by then is never heard, and which of several names is the latest only if looks lie between them.
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../../shared/fault.js';
import type { IpAddress } from '../../shared/endpoint.js';
import { AddressBook } from './address-book.js';
import type { HeardNames, NameSource } from './address-names.js';
import { followAliases } from './alias-chain.js';
import { recordType, type CachedName } from './dns-cache-structures.js';
import type { DnsCacheCalls } from './windows-dns-calls.js';

/** Milliseconds between the beginnings of two looks. After one that failed, who asks meanwhile does not wait. */
const LOOK_MS = 500;
/** Milliseconds that a session waits at most: for a look to begin, and for its end. */
const WAIT_MS = 1000;
/** Names that are asked about in one look; each is a call to a service of Windows. */
const ASKED_MAX = 512;

export interface DnsCacheOptions {
  /** Throws where Windows has nothing of the kind. */
  readonly open: () => DnsCacheCalls;
  /** Told when it begins to learn, and once when it can't. */
  readonly note: (message: string, fields: Readonly<Record<string, string>>) => void;
  readonly now: () => number;
}

interface Asked {
  readonly at: number;
  /** Until when the cache's answer stands; no answer stands for no time. */
  readonly goodUntil: number;
}

/** `close` ends it for good. Never throws; where Windows shows no cache it knows nothing. */
export class WindowsDnsCache implements NameSource {
  readonly #options: DnsCacheOptions;
  readonly #book: AddressBook;
  readonly #calls: DnsCacheCalls | undefined;
  /** By line of the cache; only of lines that were there at the last look. */
  readonly #asked = new Map<string, Asked>();
  #beganAt = -Infinity;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failing = false;
  /** The last look did not get to all that the cache had. */
  #behind = false;
  readonly #noted = new Set<string>();
  #closed = false;

  constructor(options: DnsCacheOptions) {
    this.#options = options;
    this.#book = new AddressBook(options.now);
    this.#calls = this.#open();
  }

  namesOf(address: IpAddress): HeardNames {
    const names = this.#book.namesOf(address);
    // Whoever can fill the cache must not gain from a name that was not reached.
    return { ...names, incomplete: names.incomplete || this.#behind };
  }

  async heard(address: IpAddress): Promise<void> {
    if (this.#calls === undefined || this.#closed) return;
    const sinceLook = this.#options.now() - this.#beganAt;
    const wantsNone = this.#failing || this.namesOf(address).current.length > 0;
    if (wantsNone && sinceLook < LOOK_MS) return;
    this.#next ??= this.#lookSoon(this.#calls);
    const inTime = await Promise.race([this.#next.then(() => true), sleep(WAIT_MS, false, { ref: false })]);
    if (!inTime) this.#behind = true;
  }

  close(): void {
    this.#closed = true;
  }

  #open(): DnsCacheCalls | undefined {
    try {
      return this.#options.open();
    } catch (error) {
      this.#note('not learning from the DNS cache of Windows', Fault.from(error).userMessage);
      return undefined;
    }
  }

  /** A look that begins after this call. Never rejects. */
  async #lookSoon(calls: DnsCacheCalls): Promise<void> {
    await this.#running;
    const pause = this.#beganAt + LOOK_MS - this.#options.now();
    if (pause > 0) await sleep(pause, undefined, { ref: false });
    this.#next = undefined;
    this.#beganAt = this.#options.now();
    this.#running = this.#look(calls);
    await this.#running;
  }

  async #look(calls: DnsCacheCalls): Promise<void> {
    try {
      const table = await calls.table();
      this.#failing = table === undefined;
      if (table === undefined) {
        this.#note('the DNS cache of Windows can’t be read', 'Windows gives none');
        return;
      }
      this.#note('learning from the DNS cache of Windows');
      const due = this.#due(table.names);
      for (const asked of due.slice(0, ASKED_MAX).reverse()) await this.#ask(calls, asked);
      this.#behind = !table.isWhole || due.length > ASKED_MAX;
    } catch (error) {
      this.#failing = true;
      this.#note('the DNS cache of Windows can’t be read', Fault.from(error).userMessage);
    }
  }

  /** What was never asked comes first, then what had no answer for the longest time. Forgets lines that are gone. */
  #due(names: readonly CachedName[]): readonly CachedName[] {
    const lines = new Map(names.flatMap(questionsFor).map((asked) => [lineOf(asked), asked]));
    for (const line of [...this.#asked.keys()]) if (!lines.has(line)) this.#asked.delete(line);
    const now = this.#options.now();
    const askedAt = (asked: CachedName) => this.#asked.get(lineOf(asked))?.at ?? -Infinity;
    return [...lines]
      .filter(([line]) => (this.#asked.get(line)?.goodUntil ?? now) <= now)
      .map(([, asked]) => asked)
      .sort((a, b) => Math.sign(askedAt(a) - askedAt(b)) || 0);
  }

  async #ask(calls: DnsCacheCalls, asked: CachedName): Promise<void> {
    if (this.#closed) return;
    const answers = followAliases(asked.name, await calls.records(asked));
    for (const answer of answers) this.#book.hear(answer);
    const at = this.#options.now();
    const goodUntil = at + Math.max(0, ...answers.map(({ ttlSeconds }) => ttlSeconds * 1000));
    this.#asked.set(lineOf(asked), { at, goodUntil });
  }

  #note(message: string, trouble?: string): void {
    if (this.#noted.has(message)) return;
    this.#noted.add(message);
    this.#options.note(message, trouble === undefined ? {} : { trouble });
  }
}

function lineOf({ name, type }: CachedName): string {
  return `${type} ${name}`;
}

/** Behind an alias there may be addresses of both families. */
function questionsFor({ name, type }: CachedName): readonly CachedName[] {
  const types = type === recordType.cname ? [recordType.a, recordType.aaaa] : [type];
  return types.map((one) => ({ name, type: one }));
}
