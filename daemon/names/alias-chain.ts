// Where a name leads to in the records of one answer.
import type { HeardAnswer } from './address-book.js';
import type { DnsRecord } from './dns-record.js';

/** Links of one chain of aliases; resolvers follow 16. */
const CHAIN_MAX = 16;

/** The addresses at the end of the name's chain of aliases, good for as long as its shortest-lived link; nothing if there are none. */
export function followAliases(name: string, records: readonly DnsRecord[]): readonly HeardAnswer[] {
  let owner: string | undefined = name;
  let ttlSeconds = Infinity;
  for (let links = 0; links < CHAIN_MAX && owner !== undefined; links += 1) {
    const mine = records.filter((record) => record.owner === owner);
    const addresses = mine.flatMap((record) => (record.kind === 'address' ? [record.address] : []));
    ttlSeconds = Math.min(ttlSeconds, ...mine.map((record) => record.ttl));
    if (addresses.length > 0) return [{ name, addresses, ttlSeconds }];
    owner = mine.flatMap((record) => (record.kind === 'alias' ? [record.target] : []))[0];
  }
  return [];
}
