import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { KeychainStore } from '../../../daemon/trust/keychain-store.js';
import { KeychainUsers } from '../../../daemon/trust/keychain-users.js';
import type { CleartextRecord, Owner } from '../../../daemon/trust/pin-record.js';
import type { KnowledgeQuery } from '../../../daemon/trust/store.js';
import { Fault } from '../../../shared/fault.js';
import { at, key, pin } from './fixture.js';
import { TestAgent, TestAgents } from './test-keychain.js';

const alice: Owner = { kind: 'user', uid: 1000 };
const bob: Owner = { kind: 'user', uid: 1001 };
const machine: Owner = { kind: 'machine' };
const waitMs = 400;

let folder: string;
let file: FileStore;
let agents: TestAgents;
let store: KeychainStore;
let notes: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-keychain-'));
  await open();
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** As a daemon that starts: what is on the disk, and no agent yet. */
async function open(): Promise<void> {
  file = await FileStore.open(folder);
  agents = new TestAgents();
  notes = [];
  const users = await KeychainUsers.open(folder);
  const note = (message: string, fields: object) => notes.push(`${message} ${JSON.stringify(fields)}`);
  store = new KeychainStore({ file, users, agents, note, waitMs });
}

const query = (fields: Partial<KnowledgeQuery> = {}): KnowledgeQuery => ({
  owner: alice,
  server: at('192.0.2.1'),
  name: undefined,
  fingerprint: key('a'),
  ...fields,
});
const known = async (fields: Partial<KnowledgeQuery> = {}) =>
  (await store.know(query(fields))).pins.map((one) => one.fingerprint);
const permission: CleartextRecord = { owner: alice, ...at('192.0.2.7'), since: 1 };

/** Rejected with a sentence that fits a reply line. */
async function refused(promise: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof Fault && error.code === 'store');
    assert.match(error.userMessage, /^[\x20-\x7e]{1,300}$/);
    assert.match(error.userMessage, words);
    return true;
  });
}

describe('users without a keychain', () => {
  it('have their keys in the file, also with an agent whose keychain was never ready', async () => {
    await store.putPin(pin());
    for (const vault of ['locked', 'absent', 'slow', 'none'] as const) {
      agents.set(1000, vault);
      assert.deepEqual(await known(), [key('a')]);
    }
    assert.deepEqual((await file.contents()).pins, [pin()]);
  });

  it('keep them in the file when the move fails, and the next try moves them', async () => {
    await store.putPin(pin());
    const agent = new TestAgent();
    agent.fails = 'error';
    agents.set(1000, 'ready', agent);
    assert.deepEqual(await known(), [key('a')]);
    assert.equal((await file.contents()).pins.length, 1);
    agent.fails = 'never';
    agents.set(1000, 'ready', agent);
    assert.deepEqual(await known(), [key('a')]);
    assert.equal((await file.contents()).pins.length, 0);
  });
});

describe('the first time that an agent offers a keychain', () => {
  it('moves the user’s keys and permissions, and nothing else; that a server was secure stays for all', async () => {
    const mine = [
      pin(),
      pin({ fingerprint: key('b'), ...at('192.0.2.2') }),
      pin({ ...at('192.0.2.3'), revoked: true }),
    ];
    for (const one of mine) await store.putPin(one);
    await store.allowCleartext(permission);
    await store.putPin(pin({ owner: bob }));
    await store.putPin(pin({ owner: machine }));
    await store.rememberSecured({ owner: alice, ...at('192.0.2.1'), lastSecured: 1 });
    const agent = agents.set(1000, 'ready');
    await known();
    const left = await file.contents();
    assert.deepEqual(
      left.pins.map((one) => one.owner),
      [bob, machine],
    );
    assert.deepEqual([left.secured.length, left.cleartext.length], [1, 0]);
    assert.equal(agent.entries.size, 4);
    assert.deepEqual((await store.contents(alice)).pins, mine);
    assert.equal((await store.know(query({ server: at('192.0.2.7') }))).cleartextAllowed, true);
    assert.equal((await store.know(query({ owner: bob }))).wasSecure, true);
    assert.doesNotMatch(await readFile(join(folder, 'keychain-users.json'), 'utf8'), /192|SHA/);
  });

  it('leaves the file alone when the keychain says yes and keeps nothing', async () => {
    await store.putPin(pin());
    const agent = new TestAgent();
    agent.entries.set = () => agent.entries;
    agents.set(1000, 'ready', agent);
    await known();
    assert.equal((await file.contents()).pins.length, 1);
  });

  it('joins what both have: revoked wins', async () => {
    await store.putPin(pin({ revoked: true }));
    await store.putPin(pin({ fingerprint: key('b') }));
    const agent = new TestAgent(new Map([['x', { kind: 'pin', record: pin() }]]));
    agents.set(1000, 'ready', agent);
    const { pins } = await store.contents(alice);
    assert.deepEqual(
      pins.map((one) => [one.fingerprint, one.revoked]),
      [
        [key('a'), true],
        [key('b'), false],
      ],
    );
  });

  it('a crash between the keychain’s yes and the file’s goes on at the next start', async () => {
    const agent = agents.set(1000, 'ready');
    await store.putPin(pin());
    await file.putPin(pin({ fingerprint: key('b') }));
    await store.close();
    await open();
    agents.set(1000, 'ready', agent);
    assert.deepEqual(await known(), [key('a'), key('b')]);
    assert.equal((await file.contents()).pins.length, 0);
  });
});

describe('a user with a keychain', () => {
  let agent: TestAgent;
  beforeEach(async () => {
    agent = agents.set(1000, 'ready');
    await store.putPin(pin());
  });

  it('has changes in the keychain before they count, and nothing in the file', async () => {
    assert.equal(agent.entries.size, 1);
    assert.equal(
      await store.merge({
        pins: [pin(), pin({ fingerprint: key('b') })],
        secured: [],
        cleartext: [permission],
      }),
      1,
    );
    assert.equal(agent.entries.size, 3);
    assert.equal(await store.removePins([pin()]), 1);
    assert.equal(agent.entries.size, 2);
    assert.equal(await store.forgetPlace(permission), 1);
    assert.deepEqual(await known({ fingerprint: key('b') }), [key('b')]);
    assert.equal(agent.entries.size, 1);
    assert.equal((await file.contents()).pins.length, 0);
  });

  it('forgets with the last key that the server was secure', async () => {
    await store.rememberSecured({ owner: alice, ...at('192.0.2.1'), lastSecured: 1 });
    await store.removePins([pin()]);
    assert.equal((await store.know(query())).wasSecure, false);
    assert.equal(store.wasSecure(query()), false);
  });

  it('has uses counted, written together and later', async () => {
    const before = agent.writes;
    for (let at = 1; at <= 5; at++) store.touch(pin(), at);
    assert.deepEqual(
      (await store.contents(alice)).pins.map((one) => [one.count, one.lastUsed]),
      [[5, 5]],
    );
    await store.close();
    assert.equal(agent.writes, before + 1);
    assert.match(JSON.stringify([...agent.entries.values()]), /"count":5/);
  });

  const troubles = [
    ['locked', /locked.*Unlock it/],
    ['absent', /no keychain runs/],
    ['none', /no keychain runs/],
    ['slow', /does not answer/],
    [undefined, /ftpseal tray/],
  ] as const;
  for (const [vault, words] of troubles) {
    it(`is refused with a sentence while the keychain is ${vault ?? 'without agent'}, and others are not (T25)`, async () => {
      agents.set(1000, vault);
      await refused(store.know(query()), words);
      assert.match(store.trouble(alice) ?? '', words);
      assert.equal(store.trouble(bob), undefined);
      await refused(store.contents(alice), words);
      await refused(store.putPin(pin({ fingerprint: key('b') })), words);
      await refused(store.removePins([pin()]), words);
      assert.equal(store.wasSecure(query({ server: at('192.0.2.99') })), true, 'the safe side');
      assert.deepEqual(await known({ owner: bob }), []);
      await store.putPin(pin({ owner: bob }));
      assert.deepEqual(
        (await store.contents()).pins.map((one) => one.owner),
        [bob],
      );
      agents.set(1000, 'ready', agent);
      assert.deepEqual(await known(), [key('a')]);
    });
  }

  it('is asked for nowhere else after a restart, and waited for', async () => {
    await store.close();
    await open();
    const waiting = known();
    agents.set(1000, 'slow');
    agents.set(1000, 'ready', agent);
    assert.deepEqual(await waiting, [key('a')]);
    assert.equal((await file.contents()).pins.length, 0);
  });

  it('sees a change refused when the keychain does not take it, in our words, and the truth afterwards', async () => {
    agent.fails = 'error';
    await refused(store.putPin(pin({ fingerprint: key('b') })), /did not take/);
    agent.fails = 'never';
    assert.deepEqual(await known(), [key('a')]);
    await store.putPin(pin({ fingerprint: key('b') }));
    assert.equal(agent.entries.size, 2);
  });

  it('is refused within the bound when the agent never answers, and back with the next agent', async () => {
    agent.fails = 'hang';
    await refused(store.putPin(pin({ fingerprint: key('b') })), /does not answer/);
    await refused(store.know(query()), /does not answer/);
    agents.set(1000, 'ready', new TestAgent(agent.entries));
    assert.deepEqual(await known(), [key('a')]);
  });

  it('may hold own records only: others are dropped and logged, garbage too', async () => {
    agent.entries.set('1', { kind: 'pin', record: pin({ owner: bob, fingerprint: key('x') }) });
    agent.entries.set('2', { kind: 'pin', record: pin({ owner: machine, fingerprint: key('y') }) });
    agent.entries.set('3', {
      kind: 'secured',
      record: { owner: alice, ...at('192.0.2.50'), lastSecured: 1 },
    });
    agent.entries.set('4', 'garbage');
    agent.entries.set('5', null);
    agents.set(1000, 'ready', agent);
    const all = await store.contents(alice);
    assert.deepEqual(all.pins, [pin()]);
    assert.equal(all.secured.length, 0);
    assert.deepEqual(await known({ owner: bob }), []);
    assert.deepEqual(
      notes.filter((note) => note.includes('dropped')),
      ['a keychain held what is not its user’s; dropped {"uid":1000,"foreign":2,"unreadable":3}'],
    );
  });

  it('is read once for many changes of its agent, and the log is not filled', async () => {
    let reads = 0;
    const read = agent.read.bind(agent);
    agent.read = (from) => {
      reads++;
      return read(from);
    };
    agent.entries.set('1', null);
    for (let count = 0; count < 1000; count++) agents.set(1000, 'ready', agent);
    await known();
    assert.ok(reads <= 4, `${reads} reads`);
    assert.equal(store.trouble(alice), undefined);
    for (let count = 0; count < 10; count++) {
      agents.set(1000, 'ready', agent);
      await known();
    }
    assert.equal(notes.filter((note) => note.includes('dropped')).length, 1);
  });

  it('with pages that never end is refused', async () => {
    agent.read = (from) => Promise.resolve({ records: [], next: Math.max(1, from) });
    agents.set(1000, 'ready', agent);
    await refused(store.know(query()), /could not be understood/);
  });

  it('loses a lock during a change: refused, and what was read before does not count', async () => {
    const slow = store.putPin(pin({ fingerprint: key('b') }));
    agents.set(1000, 'locked', agent);
    await refused(slow, /locked/);
    await refused(store.know(query()), /locked/);
  });
});

describe('the list of users with a keychain', () => {
  it('that is damaged stops the start, because guessing would show old keys as new', async () => {
    await writeFile(join(folder, 'keychain-users.json'), '{"version":1');
    await assert.rejects(KeychainUsers.open(folder), Fault);
    await writeFile(join(folder, 'keychain-users.json'), '{"version":1,"uids":[7]}');
    const users = await KeychainUsers.open(folder);
    await Promise.all([users.add(8), users.add(9)]);
    const again = await KeychainUsers.open(folder);
    assert.deepEqual(
      [7, 8, 9, 10].map((uid) => again.has(uid)),
      [true, true, true, false],
    );
  });
});
