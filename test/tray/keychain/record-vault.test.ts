// The layout of the keychain, on a keychain in memory that can die at every step; the real one is in test/desktop/keychain.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VaultRecord } from '../../../shared/agent-messages.js';
import { Fault } from '../../../shared/fault.js';
import type { SecretEntries } from '../../../tray/keychain/entries.js';
import { accountOf, RecordVault } from '../../../tray/keychain/record-vault.js';
import { at, key, pin } from '../../daemon/trust/fixture.js';

class MemoryEntries implements SecretEntries {
  readonly stuck = false;
  readonly all: Map<string, string>;
  /** How many more writes succeed. */
  life: number;

  constructor(all = new Map<string, string>(), life = Infinity) {
    this.all = all;
    this.life = life;
  }

  get(account: string): Promise<string | undefined> {
    return Promise.resolve(this.all.get(account));
  }

  async set(account: string, text: string): Promise<void> {
    await this.#live();
    this.all.set(account, text);
  }

  async delete(account: string): Promise<void> {
    await this.#live();
    this.all.delete(account);
  }

  #live(): Promise<void> {
    this.life--;
    return this.life < 0 ? Promise.reject(new Fault('store', 'dead')) : Promise.resolve();
  }
}

const record = (index: number, fields: Parameters<typeof pin>[0] = {}): VaultRecord => ({
  kind: 'pin',
  record: pin({ ...at(`192.0.${index >> 8}.${index & 255}`), ...fields }),
});
const names = (records: readonly unknown[]) => records.map((one) => JSON.stringify(one)).sort();

async function readAll(entries: SecretEntries): Promise<unknown[]> {
  const vault = new RecordVault(entries);
  const records: unknown[] = [];
  for (let from: number | undefined = 0; from !== undefined;) {
    const page: Awaited<ReturnType<RecordVault['read']>> = await vault.read(from);
    assert.ok(page.records.length <= 200 && (page.next === undefined || page.records.length > 0));
    records.push(...page.records);
    from = page.next;
  }
  return records;
}

describe('a keychain that dies in the middle of a change', () => {
  const before = [record(1), record(2), record(3)];
  const change = { put: [record(2, { count: 9 }), record(4)], remove: [record(1)] };
  const after = [record(2, { count: 9 }), record(3), record(4)];

  for (let life = 0; life <= 4; life++) {
    it(`after ${life} writes: nothing of the others is lost, and the change can be made again`, async () => {
      const all = new Map<string, string>();
      await new RecordVault(new MemoryEntries(all)).write({ put: before, remove: [] });
      const dying = new RecordVault(new MemoryEntries(all, life));
      const outcome = await dying.write(change).then(
        () => 'done',
        () => 'dead',
      );
      const found = names(await readAll(new MemoryEntries(all)));
      assert.ok(found.includes(names([record(3)])[0] ?? ''), 'an untouched record');
      for (const one of found) assert.ok([...names(before), ...names(after)].includes(one), one);
      if (outcome === 'done') assert.deepEqual(found, names(after));
      await new RecordVault(new MemoryEntries(all)).write(change);
      assert.deepEqual(names(await readAll(new MemoryEntries(all))), names(after));
      assert.equal(all.has(accountOf(record(1))), false);
    });
  }
});

describe('the index', () => {
  it('holds thousands of records in parts that fit any keychain, and pages over what is gone', async () => {
    const entries = new MemoryEntries();
    const records = Array.from({ length: 1500 }, (_, index) => record(index));
    await new RecordVault(entries).write({ put: records.slice(0, 800), remove: [] });
    await new RecordVault(entries).write({ put: records.slice(800), remove: [] });
    assert.deepEqual(await readAll(entries), records);
    for (const text of entries.all.values()) assert.ok(text.length * 2 <= 2560, `${text.length} characters`);
    for (const one of records.slice(150, 1400)) entries.all.delete(accountOf(one));
    assert.deepEqual(await readAll(entries), [...records.slice(0, 150), ...records.slice(1400)]);
  });

  it('of an agent that wrote meanwhile is not written over', async () => {
    const entries = new MemoryEntries();
    const [one, two] = [new RecordVault(entries), new RecordVault(entries)];
    await one.write({ put: [record(1)], remove: [] });
    await two.write({ put: [record(2)], remove: [] });
    await one.write({ put: [record(3)], remove: [record(2)] });
    assert.deepEqual(await readAll(entries), [record(1), record(3)]);
  });
});

describe('the name of an entry', () => {
  it('tells records apart, is printable and short, whatever the server is called', () => {
    const owner = { kind: 'user', uid: 1 } as const;
    const cleartext = (name?: string): VaultRecord => ({
      kind: 'cleartext',
      record: { owner, ...at('2001:db8::1'), since: 1, ...(name === undefined ? {} : { name }) },
    });
    const odd = ['a.test', 'b.test', 'x'.repeat(256), 'a\r\nb', 'ü', '#x'].map((name) => cleartext(name));
    const all = [
      record(1),
      record(1, { fingerprint: key('b') }),
      record(1, at('192.0.2.1', 2121)),
      cleartext(),
      ...odd,
    ];
    const accounts = all.map(accountOf);
    assert.equal(new Set(accounts).size, all.length);
    for (const account of accounts) assert.match(account, /^[\x20-\x7e]{1,200}$/);
    // One key at one place is one record, whatever else is noted about it.
    assert.equal(accountOf(record(1)), accountOf(record(1, { name: 'a.test', count: 3 })));
  });
});
