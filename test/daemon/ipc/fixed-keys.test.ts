// The administrator's keys and locked policy over the real socket: seen by everybody, changed by nobody, refused with a sentence.
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { DaemonClient } from '../../../daemon/ipc/client.js';
import { Fault } from '../../../shared/fault.js';
import { formatKeys, formatPin } from '../../../daemon/cli/keys-commands.js';
import type { PinRecord } from '../../../daemon/trust/pin-record.js';
import { at, key, pin } from '../trust/fixture.js';
import { callAs, skipUnlessRoot } from './raw-caller.js';
import { makeWorld, type TestWorld } from './world.js';

let world: TestWorld;
let client: DaemonClient | undefined;
afterEach(async () => {
  client?.close();
  await world.close();
});

const place = { kind: 'host', host: '192.0.2.1' } as const;
const fileOf = (...pins: PinRecord[]) => ({ version: 1 as const, pins, secured: [], cleartext: [] });

async function make(mayTrust = true): Promise<DaemonClient> {
  world = await makeWorld({ mayTrust });
  await chmod(world.folder, 0o711);
  await mkdir(join(world.folder, 'keys.d'), { mode: 0o755 });
  await writeFile(join(world.folder, 'keys.d', 'fleet.json'), JSON.stringify(fileOf(pin())), { mode: 0o644 });
  await world.fixed.load();
  client = await DaemonClient.connect(world.folder);
  return client;
}

const refused = (words: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === 'not-permitted' && words.test(error.userMessage);

describe('the administrator’s keys over IPC', () => {
  it('are listed as what they are', async () => {
    const view = await (await make()).request('keys.list', {});
    assert.deepEqual(
      view.keys.map(({ fingerprint, file: from }) => [fingerprint, from]),
      [[key('a'), 'fleet.json']],
    );
    assert.match(formatKeys(view, 0), /192\.0\.2\.1 .*by the administrator/);
    const [listed] = view.keys;
    assert.ok(listed);
    assert.match(formatPin(listed, 0), /by the administrator \(keys\.d\/fleet\.json\)/);
  });

  it('are not removed, revoked, renamed or replaced, not by root either', async () => {
    const call = await make();
    const given = refused(/given by the administrator.*keys\.d\/fleet\.json/);
    await assert.rejects(call.request('keys.remove', { selector: place }), given);
    await assert.rejects(
      call.request('keys.revoke', { selector: { kind: 'fingerprint', fingerprint: key('a') } }),
      given,
    );
    await assert.rejects(call.request('keys.rename', { selector: place, label: 'mine' }), given);
    const other = {
      fingerprint: key('b'),
      addresses: [at('192.0.2.1').address],
      port: at('192.0.2.1').port,
      comment: '',
    };
    await assert.rejects(
      call.request('keys.add', { ...other, revoked: false }),
      refused(/fixed another key/),
    );
    assert.equal((await call.request('keys.add', { ...other, revoked: true })).keys.length, 1);
    assert.equal(world.fixed.records.pins.length, 1);
  });

  it('are in nobody’s export, and what a person imports is that person’s', async () => {
    const call = await make();
    assert.deepEqual((await call.request('keys.export', {})).pins, []);
    const forged = fileOf({ ...pin({ fingerprint: key('c') }), file: 'fleet.json' } as PinRecord);
    await call.request('keys.import', { file: forged });
    const { keys } = await call.request('keys.list', {});
    assert.deepEqual(
      keys.filter((one) => one.file !== undefined).map(({ fingerprint }) => fingerprint),
      [key('a')],
    );
  });

  it('are seen by ordinary users', skipUnlessRoot, async () => {
    await make();
    const answer = await callAs(1000, world.path, [{ method: 'keys.list' }]);
    assert.match(JSON.stringify(answer), /"file":"fleet\.json"/);
  });
});

describe('locked policy over IPC', () => {
  it('refuses what people would decide, with a sentence, and lets root', skipUnlessRoot, async () => {
    const call = await make(false);
    const other = { fingerprint: key('b'), addresses: ['192.0.2.5'], port: 21, comment: '' };
    const asked: readonly (readonly [string, unknown])[] = [
      ['keys.add', { ...other, revoked: false }],
      ['keys.remove', { selector: place }],
      ['keys.import', { file: fileOf(pin()) }],
    ];
    for (const [method, params] of asked) {
      const answer = JSON.stringify(await callAs(1000, world.path, [{ method, params }]));
      assert.match(answer, /locked this \(users\.may_trust = false\)/, method);
    }
    const revoked = JSON.stringify(
      await callAs(1000, world.path, [{ method: 'keys.add', params: { ...other, revoked: true } }]),
    );
    assert.match(revoked, /"revoked":true/);
    await call.request('keys.import', { file: fileOf(pin({ ...at('192.0.2.5') })) });
  });
});
