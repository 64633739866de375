// What was heard about addresses: which name led to which, and for how long that is good. Bounded, and it knows when it had to forget.
import type { IpAddress } from '../../shared/endpoint.js';
import { ALSO_NAMED_MAX } from '../../shared/trust.js';
import type { HeardNames } from './address-names.js';

/** Pairs of name and address. A desktop hears a few thousand in a day. */
const MAX_PAIRS = 16_384;
/** Names of one address; a tenth is no server of one owner any more. */
const MAX_NAMES = ALSO_NAMED_MAX + 1;
/** Milliseconds for which an answer is good at least: a program may take a moment before it connects. */
const LEAST_MS = 60_000;
/** Milliseconds for which it is good at most, and for which a name that was good is remembered. */
const MOST_MS = 24 * 3_600_000;

export interface HeardAnswer {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
  readonly ttlSeconds: number;
}

interface Heard {
  readonly goodUntil: number;
  readonly at: number;
}

/** Belongs to one source of names. `now` in milliseconds. */
export class AddressBook {
  readonly #now: () => number;
  /** By address, then by name; both in the order in which they were heard last. */
  readonly #book = new Map<IpAddress, Map<string, Heard>>();
  #pairs = 0;
  /** When the book, or the part of an address, last had no room for what it held. */
  #forgotAt: number | undefined;
  readonly #crowdedAt = new Map<IpAddress, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  hear({ name, addresses, ttlSeconds }: HeardAnswer): void {
    const at = this.#now();
    const goodMs = Math.min(Math.max(ttlSeconds * 1000, LEAST_MS), MOST_MS);
    for (const address of addresses) this.#put(address, name, { at, goodUntil: at + goodMs });
  }

  /** Something was said that could not be heard. */
  miss(): void {
    this.#forgotAt = this.#now();
  }

  namesOf(address: IpAddress): HeardNames {
    const now = this.#now();
    const names = [...(this.#book.get(address) ?? [])].filter(([, { at }]) => now - at < MOST_MS).reverse();
    const isRecent = (at: number | undefined) => at !== undefined && now - at < MOST_MS;
    return {
      current: names.flatMap(([name, { goodUntil }]) => (goodUntil > now ? [name] : [])),
      former: names.flatMap(([name, { goodUntil }]) => (goodUntil > now ? [] : [name])),
      incomplete: isRecent(this.#forgotAt) || isRecent(this.#crowdedAt.get(address)),
    };
  }

  #put(address: IpAddress, name: string, heard: Heard): void {
    const names = this.#book.get(address) ?? new Map<string, Heard>();
    if (!names.delete(name)) this.#pairs += 1;
    names.set(name, heard);
    this.#book.delete(address);
    this.#book.set(address, names);
    if (names.size > MAX_NAMES) this.#dropFirst(address, names);
    while (this.#pairs > MAX_PAIRS) this.#dropOldest();
  }

  #dropFirst(address: IpAddress, names: Map<string, Heard>): void {
    const first = names.entries().next().value;
    if (first === undefined) return;
    names.delete(first[0]);
    this.#pairs -= 1;
    if (this.#isForgetting(first[1])) this.#crowdedAt.set(address, this.#now());
  }

  #dropOldest(): void {
    const oldest = this.#book.entries().next().value;
    if (oldest === undefined) return;
    const [address, names] = oldest;
    if ([...names.values()].some((heard) => this.#isForgetting(heard))) this.#forgotAt = this.#now();
    this.#pairs -= names.size;
    this.#book.delete(address);
    this.#crowdedAt.delete(address);
  }

  /** What is too old to be told anyway is no loss. */
  #isForgetting({ at }: Heard): boolean {
    return this.#now() - at < MOST_MS;
  }
}
