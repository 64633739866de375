// The methods that the manager needs: labels, holding a question, the history and the configuration; and whose they are.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DaemonClient } from '../../../daemon/ipc/client.js';
import { Fault } from '../../../shared/fault.js';
import { connection, key, keyQuestion, pin, policy } from '../trust/fixture.js';
import { callAs, skipUnlessRoot } from './raw-caller.js';
import { makeWorld, type TestWorld } from './world.js';

let world: TestWorld;
let client: DaemonClient;
beforeEach(async () => {
  world = await makeWorld();
  client = await DaemonClient.connect(world.folder);
});
afterEach(async () => {
  client.close();
  await world.close();
});

const uid = process.geteuid?.() ?? 0;
const own = uid === 0 ? ({ kind: 'machine' } as const) : ({ kind: 'user', uid } as const);
const place = { kind: 'host', host: '192.0.2.1' } as const;

async function asked(letter = 'a') {
  const from = uid === 0 ? { uid: 1000 } : { uid };
  void world.trust.judge('s', connection(from), policy(), keyQuestion(key(letter)));
  for (;;) {
    const { questions } = await client.request('prompts.list', {});
    if (questions[0] !== undefined) return questions[0];
  }
}

describe('a label', () => {
  it('is given, changed and taken away, and changes nothing else', async () => {
    await world.store.putPin(pin({ owner: own }));
    const given = await client.request('keys.rename', { selector: place, label: 'Büro – Sicherung' });
    assert.deepEqual(given.keys, [pin({ owner: own, label: 'Büro – Sicherung' })]);
    await client.request('keys.rename', { selector: place, label: '' });
    assert.deepEqual((await client.request('keys.list', {})).keys, [pin({ owner: own })]);
  });

  it('of control characters or direction marks is refused', async () => {
    for (const label of ['a\nb', 'a\u202eb', 'a\u2028b', 'x'.repeat(65)]) {
      await assert.rejects(client.request('keys.rename', { selector: place, label }), Fault);
    }
  });
});

describe('a question', () => {
  it('says why it is asked and how long somebody waits, and is held', async () => {
    const question = await asked();
    assert.deepEqual(question.concern, { kind: 'new', revoked: [] });
    const { deadline } = await client.request('prompts.hold', { id: question.id });
    assert.ok((deadline ?? 0) > (question.deadline ?? 0));
    await assert.rejects(client.request('prompts.hold', { id: 'nix' }), /No open question/);
  });

  it('and its answer are in the history, with the key and without anything secret', async () => {
    const { id } = await asked();
    await client.request('prompts.answer', { id, answer: 'refuse' });
    const { events } = await client.request('history.list', { limit: 10 });
    assert.deepEqual(events.map(({ kind }) => kind).sort(), ['answered', 'asked', 'refused']);
    assert.ok(events.some(({ fingerprint }) => fingerprint === key('a')));
  });
});

it('changes of keys are in the history', async () => {
  await client.request('keys.add', {
    fingerprint: key('a'),
    addresses: ['192.0.2.1'],
    port: 21,
    revoked: false,
    comment: '',
  });
  await client.request('keys.revoke', { selector: place });
  const { events } = await client.request('history.list', { limit: 10 });
  assert.deepEqual(events.map(({ text }) => text).sort(), ['Key added.', 'Key revoked.']);
});

it('the configuration in force is shown', async () => {
  const view = await client.request('config.show', {});
  assert.equal(view.settings.find((setting) => setting.key === 'trust.unknown')?.value, '"ask"');
});

describe('another user', skipUnlessRoot, () => {
  it('sees the configuration, their own history only, and can neither hold nor rename what is not theirs', async () => {
    const question = await asked();
    await world.store.putPin(pin());
    const answers = await callAs(1001, world.path, [
      { method: 'config.show' },
      { method: 'history.list', params: { limit: 10 } },
      { method: 'prompts.hold', params: { id: question.id } },
      { method: 'prompts.answer', params: { id: question.id, answer: { confirmed: '192.0.2.1' } } },
      { method: 'keys.rename', params: { selector: place, label: 'mine' } },
    ]);
    const by = (id: number) => answers.find((answer) => answer.id === id);
    assert.ok(by(0)?.result !== undefined);
    assert.deepEqual(by(1)?.result, { events: [] });
    assert.equal(by(2)?.error?.data?.code, 'not-permitted');
    assert.equal(by(3)?.error?.data?.code, 'not-permitted');
    assert.deepEqual(by(4)?.result, { keys: [] });
    assert.deepEqual((await world.store.contents()).pins, [pin()]);
    assert.equal(world.broker.list().length, 1);
  });
});
