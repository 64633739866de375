import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { History } from '../../../daemon/history/history.js';
import { actorOf, maySeeUid, mayUse, ownerFor, requireAll } from '../../../daemon/ipc/actor.js';
import { keysEvent } from '../../../daemon/ipc/history-methods.js';
import { KeychainUsers } from '../../../daemon/trust/keychain-users.js';
import { Fault } from '../../../shared/fault.js';
import { connectionSchema } from '../../../shared/trust.js';
import { userIdSchema } from '../../../shared/user-id-schema.js';
import { parseSid, type UserId } from '../../../shared/user-id.js';

const sid = (text: string): UserId => userIdSchema.parse(text);
const anna = sid('S-1-5-21-397955417-626881126-188441444-1001');
const bert = sid('S-1-5-21-397955417-626881126-188441444-1002');
const system = sid('S-1-5-18');
const notPermitted = (error: unknown) => error instanceof Fault && error.code === 'not-permitted';

describe('a SID', () => {
  it('is taken in its usual text and in no other', () => {
    for (const text of ['S-1-5-18', 'S-1-16-12288', 'S-1-5-80-1-2-3-4-5', anna]) {
      assert.equal(parseSid(String(text)), text);
    }
    const bad = [
      '',
      '1000',
      's-1-5-18',
      'S-1-5',
      'S-1-5-',
      'S-1-5-18 ',
      'S-1-5-18\n',
      'S-1-5-../../x',
      `S-1-5${'-1'.repeat(16)}`,
    ];
    for (const text of bad) assert.equal(userIdSchema.safeParse(text).success, false, text);
    assert.equal(userIdSchema.safeParse(-1).success, false);
  });
});

describe('who calls, on a system whose users are SIDs', () => {
  const user = actorOf({ uid: anna, isAdministrator: false }, undefined);

  it('sees and changes what is theirs, and nothing of others', () => {
    assert.equal(mayUse(user, { kind: 'user', uid: anna }), true);
    assert.equal(mayUse(user, { kind: 'user', uid: bert }), false);
    assert.equal(mayUse(user, { kind: 'machine' }), false);
    assert.deepEqual(
      [anna, bert, undefined].map((uid) => maySeeUid(user, uid)),
      [true, false, false],
    );
    assert.throws(() => ownerFor(user, { kind: 'user', uid: bert }), notPermitted);
    assert.throws(() => {
      requireAll(user, 'do that');
    }, notPermitted);
  });

  it('is everything as the system’s own account, and adds for the machine', () => {
    assert.equal(actorOf({ uid: system, isAdministrator: false }, undefined).kind, 'all');
    assert.deepEqual(ownerFor(actorOf({ uid: system, isAdministrator: false }, undefined), undefined), {
      kind: 'machine',
    });
    assert.deepEqual(ownerFor(user, undefined), { kind: 'user', uid: anna });
  });

  it('is written down and read again: history, users of a keychain, a session', async () => {
    const event = keysEvent('key added', { byUid: anna, server: 'a.test' }, 1);
    assert.deepEqual(event.owner, { kind: 'user', uid: anna });
    assert.deepEqual(keysEvent('key added', { byUid: system }, 1).owner, { kind: 'machine' });
    const folder = await mkdtemp(join(tmpdir(), 'ftpseal-actor-'));
    const first = History.open(folder);
    first.add(event);
    first.close();
    const again = History.open(folder);
    assert.deepEqual(
      again.list((owner) => mayUse(user, owner), 10),
      [event],
    );
    again.close();
    await (await KeychainUsers.open(folder)).add(anna);
    assert.equal((await KeychainUsers.open(folder)).has(anna), true);
    const end = { address: '192.0.2.1', port: 21 };
    assert.equal(connectionSchema.parse({ server: end, client: end, uid: anna }).uid, anna);
    await rm(folder, { recursive: true });
  });
});
