import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { MAX_RECORDS_PER_USER } from '../../../daemon/trust/pin-record.js';
import type { KnowledgeQuery } from '../../../daemon/trust/store.js';
import { Fault } from '../../../shared/fault.js';
import { at, key, pin } from './fixture.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-store-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const alice = { kind: 'user', uid: 1000 } as const;
const bob = { kind: 'user', uid: 1001 } as const;
const query = (fields: Partial<KnowledgeQuery> = {}): KnowledgeQuery => ({
  owner: alice,
  server: at('192.0.2.1'),
  name: undefined,
  fingerprint: undefined,
  ...fields,
});
const isStoreFault = (pattern: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === 'store' && pattern.test(error.userMessage);

describe('the key file', () => {
  it('keeps what was put, for the next process, readable by its owner alone', async () => {
    const store = await FileStore.open(folder);
    await store.putPin(pin({ name: 'a.test' }));
    const again = await FileStore.open(folder);
    assert.deepEqual((await again.contents()).pins, [pin({ name: 'a.test' })]);
    assert.equal((await stat(join(folder, 'keys.json'))).mode & 0o777, 0o600);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(folder), ['keys.json']);
  });

  it('loses no update when many come at once', async () => {
    const store = await FileStore.open(folder);
    const letters = 'abcdefghijklmnopqrstuvwxyz'.match(/./g)!;
    await Promise.all(letters.map((letter) => store.putPin(pin({ fingerprint: key(letter) }))));
    const again = await FileStore.open(folder);
    assert.equal((await again.contents()).pins.length, letters.length);
  });

  it('replaces the record of the same key at the same place', async () => {
    const store = await FileStore.open(folder);
    await store.putPin(pin());
    await store.putPin(pin({ revoked: true }));
    await store.putPin(pin({ owner: bob }));
    assert.deepEqual(
      (await store.contents()).pins.map((p) => p.revoked),
      [true, false],
    );
  });

  it('that is damaged is a clear fault and stays as it is', async () => {
    const path = join(folder, 'keys.json');
    for (const text of ['{"version":1,"pins":[', '{"version":2}', '', '[]']) {
      await writeFile(path, text);
      await assert.rejects(FileStore.open(folder), isStoreFault(/damaged/));
      assert.equal(await readFile(path, 'utf8'), text);
    }
  });

  it('that can’t be written changes nothing, and the next change still works', async () => {
    const store = await FileStore.open(join(folder, 'state'));
    await store.putPin(pin());
    await rm(join(folder, 'state'), { recursive: true });
    const failed = store.putPin(pin({ fingerprint: key('b') }));
    await assert.rejects(failed, isStoreFault(/can’t be written/));
    assert.equal((await store.contents()).pins.length, 1);
    await FileStore.open(join(folder, 'state'));
    await store.putPin(pin({ fingerprint: key('c') }));
    const again = await FileStore.open(join(folder, 'state'));
    assert.deepEqual(
      (await again.contents()).pins.map((p) => p.fingerprint),
      [key('a'), key('c')],
    );
  });

  it('writes use counts at the latest when it closes', async () => {
    const store = await FileStore.open(folder);
    await store.putPin(pin());
    store.touch(pin(), 77);
    store.touch(pin(), 78);
    await store.close();
    const [saved] = (await (await FileStore.open(folder)).contents()).pins;
    assert.equal(saved?.count, 2);
    assert.equal(saved.lastUsed, 78);
  });

  it('gives an existing folder its private mode back', async () => {
    await chmod(folder, 0o755);
    await FileStore.open(folder);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
  });
});

describe('what is known', () => {
  it('is the owner’s and the machine’s, never another user’s', async () => {
    const store = await FileStore.open(folder);
    await store.putPin(pin());
    await store.putPin(pin({ owner: { kind: 'machine' }, fingerprint: key('m') }));
    const keys = async (q: KnowledgeQuery) => (await store.know(q)).pins.map((p) => p.fingerprint);
    assert.deepEqual(await keys(query()), [key('a'), key('m')]);
    assert.deepEqual(await keys(query({ owner: bob })), [key('m')]);
    assert.deepEqual(await keys(query({ owner: bob, fingerprint: key('a') })), [key('m')]);
  });

  it('holds the same key at other servers, and nothing else of other servers', async () => {
    const store = await FileStore.open(folder);
    await store.putPin(pin());
    await store.putPin(pin({ ...at('198.51.100.1'), fingerprint: key('z') }));
    const known = await store.know(query({ server: at('203.0.113.1'), fingerprint: key('a') }));
    assert.deepEqual(
      known.pins.map((p) => p.fingerprint),
      [key('a')],
    );
    assert.equal(known.wasSecure, false);
  });

  it('a pinned key, revoked or not, says that the server was secure, by address and by name', async () => {
    const store = await FileStore.open(folder);
    await store.putPin(pin({ revoked: true, name: 'a.test' }));
    assert.equal((await store.know(query())).wasSecure, true);
    assert.equal((await store.know(query({ server: at('203.0.113.1'), name: 'A.test' }))).wasSecure, true);
    assert.equal((await store.know(query({ server: at('192.0.2.1', 2121) }))).wasSecure, false);
  });

  it('an address that was secure for one user is so for all; a name only for who used it', async () => {
    const store = await FileStore.open(folder);
    await store.rememberSecured({ owner: alice, ...at('192.0.2.1'), name: 'a.test', lastSecured: 1 });
    assert.equal((await store.know(query({ owner: bob }))).wasSecure, true);
    const byName = { server: at('203.0.113.1'), name: 'a.test' };
    assert.equal((await store.know(query(byName))).wasSecure, true);
    assert.equal((await store.know(query({ owner: bob, ...byName }))).wasSecure, false);
  });

  it('a user who meets servers without end pushes out nobody else’s', async () => {
    const store = await FileStore.open(folder);
    const met = (owner: typeof alice | typeof bob, address: string, lastSecured: number) => ({
      ...{ owner, ...at(address), lastSecured },
    });
    await store.rememberSecured(met(bob, '192.0.2.1', 1));
    const many = Array.from({ length: MAX_RECORDS_PER_USER }, (_, index) =>
      met(alice, `198.51.${index >> 8}.${index & 255}`, 10 + index),
    );
    await store.merge({ pins: [], secured: many, cleartext: [] });
    await store.rememberSecured(met(alice, '203.0.113.1', 9));
    const { secured } = await store.contents();
    assert.equal(secured.length, MAX_RECORDS_PER_USER + 1);
    const known = (address: string) => store.wasSecure(query({ server: at(address) }));
    assert.deepEqual(['192.0.2.1', '203.0.113.1', '198.51.0.0', '198.51.0.1'].map(known), [
      ...[true, true],
      ...[false, true],
    ]);
  });

  it('removing the last key of a server forgets that it was secure, removing another does not', async () => {
    const store = await FileStore.open(folder);
    const one = pin();
    const two = pin({ fingerprint: key('b') });
    await store.putPin(one);
    await store.putPin(two);
    await store.rememberSecured({ owner: alice, ...at('192.0.2.1'), lastSecured: 1 });
    assert.equal(await store.removePins([one]), 1);
    assert.equal((await store.know(query())).wasSecure, true);
    assert.equal(await store.removePins([two]), 1);
    assert.equal((await store.know(query())).wasSecure, false);
    assert.equal(await store.removePins([two]), 0);
  });

  it('allowed cleartext counts for its owner alone', async () => {
    const store = await FileStore.open(folder);
    await store.allowCleartext({ owner: alice, ...at('192.0.2.1'), since: 1 });
    const again = await FileStore.open(folder);
    assert.equal((await again.know(query())).cleartextAllowed, true);
    assert.equal((await again.know(query({ owner: bob }))).cleartextAllowed, false);
    assert.equal(await again.forgetPlace({ owner: alice, ...at('192.0.2.1') }), 1);
    assert.equal((await again.know(query())).cleartextAllowed, false);
  });
});
