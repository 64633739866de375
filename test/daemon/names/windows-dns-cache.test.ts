// When Windows' DNS cache is asked what, with a cache of the test. The calls themselves are in test/wine/dns-cache.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { CachedName } from '../../../daemon/names/dns-cache-structures.js';
import type { DnsRecord } from '../../../daemon/names/dns-record.js';
import { WindowsDnsCache } from '../../../daemon/names/windows-dns-cache.js';
import type { DnsCacheCalls } from '../../../daemon/names/windows-dns-calls.js';
import { parseIpAddress } from '../../../shared/endpoint.js';

const here = parseIpAddress('10.1.2.3')!;
const there = parseIpAddress('10.1.2.4')!;
const line = (name: string, type = 1): CachedName => ({ name, type });
const record = (owner: string, address = here, ttl = 120): DnsRecord => ({
  kind: 'address',
  owner,
  ttl,
  address,
});

let table: { names: readonly CachedName[]; isWhole: boolean } | undefined;
let records: Map<string, readonly DnsRecord[]>;
let asked: string[];
let notes: string[];
let now: number;
let calls: DnsCacheCalls;
let alive: NodeJS.Timeout;

beforeEach(() => {
  // Looks and their waiting keep no process alive.
  alive = setInterval(() => undefined, 1000);
  table = { names: [line('ftp.example')], isWhole: true };
  records = new Map([['ftp.example', [record('ftp.example')]]]);
  asked = [];
  notes = [];
  now = 1_000_000;
  calls = {
    table: () => Promise.resolve(table),
    records: ({ name, type }) => {
      asked.push(`${name} ${type}`);
      return Promise.resolve(records.get(name) ?? []);
    },
  };
});

afterEach(() => {
  clearInterval(alive);
});

function cache(open: () => DnsCacheCalls = () => calls): WindowsDnsCache {
  const note = (message: string, { trouble = '' }) => notes.push(`${message} ${trouble}`.trim());
  return new WindowsDnsCache({ open, note, now: () => now });
}

async function look(names: WindowsDnsCache, address = here): Promise<void> {
  now += 1000;
  await names.heard(address);
}

describe('the DNS cache of Windows', () => {
  it('tells the names of an address, through aliases in both families', async () => {
    table = { names: [line('www.example', 5), line('ftp.example')], isWhole: true };
    const alias: DnsRecord = { kind: 'alias', owner: 'www.example', ttl: 60, target: 'ftp.example' };
    records.set('www.example', [alias, record('ftp.example')]);
    const names = cache();
    await look(names);
    assert.deepEqual([...names.namesOf(here).current].sort(), ['ftp.example', 'www.example']);
    assert.deepEqual(asked.sort(), ['ftp.example 1', 'www.example 1', 'www.example 28']);
    assert.equal(names.namesOf(here).incomplete, false);
    assert.deepEqual(notes, ['learning from the DNS cache of Windows']);
  });

  it('is not asked again for what still stands, and is for what did not, or has run out', async () => {
    table = { names: [line('ftp.example'), line('new.example')], isWhole: true };
    const names = cache();
    await look(names);
    records.set('new.example', [record('new.example', there)]);
    asked = [];
    await look(names, there);
    assert.deepEqual(asked, ['new.example 1']);
    assert.deepEqual(names.namesOf(there).current, ['new.example']);
    asked = [];
    now += 120_000;
    await look(names);
    assert.deepEqual(asked.sort(), ['ftp.example 1', 'new.example 1']);
  });

  it('tells of two names the one first that came at a later look', async () => {
    const names = cache();
    await look(names);
    table = { names: [line('late.example'), line('ftp.example')], isWhole: true };
    records.set('late.example', [record('late.example')]);
    await look(names);
    assert.deepEqual(names.namesOf(here).current, ['late.example', 'ftp.example']);
  });

  it('is looked at once for all who ask at the same time, and not for who has a name from just now', async () => {
    let looks = 0;
    const counted = { ...calls, table: () => ((looks += 1), Promise.resolve(table)) };
    const names = cache(() => counted);
    await Promise.all([look(names), names.heard(here), names.heard(here)]);
    await names.heard(here);
    assert.equal(looks, 1);
    await names.heard(there);
    assert.equal(looks, 2, 'its name may have come since');
  });

  it('with more than one look can ask, tells that names are missing until it got to all', async () => {
    table = { names: Array.from({ length: 600 }, (_, n) => line(`n${n}.example`)), isWhole: true };
    records = new Map(table.names.map(({ name }) => [name, [record(name, there)]]));
    const names = cache();
    await look(names);
    assert.equal(asked.length, 512);
    assert.equal(names.namesOf(here).incomplete, true);
    await look(names);
    assert.equal(new Set(asked).size, 600);
    assert.equal(names.namesOf(here).incomplete, false);
    table = { ...table, isWhole: false };
    await look(names);
    assert.equal(names.namesOf(here).incomplete, true);
  });

  it('that can’t be read tells nothing, says so once, and is tried again', async () => {
    table = undefined;
    const names = cache();
    await look(names);
    await names.heard(here);
    await look(names);
    calls = { ...calls, table: () => Promise.reject(new Error('gone')) };
    await look(names);
    assert.deepEqual(names.namesOf(here), { current: [], former: [], incomplete: false });
    assert.deepEqual(notes, ['the DNS cache of Windows can’t be read Windows gives none']);
    table = { names: [line('ftp.example')], isWhole: true };
    await look(names);
    assert.deepEqual(names.namesOf(here).current, ['ftp.example']);
  });

  it('that is not there, or fails in the middle, tells nothing and ends nothing', async () => {
    const none = cache(() => {
      throw new Error('no such function');
    });
    await look(none);
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /^not learning/);
    const half = cache(() => ({ ...calls, records: () => Promise.reject(new Error('gone')) }));
    await look(half);
    assert.deepEqual(half.namesOf(here).current, []);
  });

  it('that never answers holds nobody for long, and makes the names incomplete', async () => {
    const names = cache(() => ({ ...calls, table: () => new Promise(() => undefined) }));
    await look(names);
    assert.equal(names.namesOf(here).incomplete, true);
  });
});
