// Every method of the daemon's socket, called by a user whom nothing there belongs to, with the most that its schema lets through.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { IpcMethod } from '../../../shared/ipc-messages.js';
import { keyFileSchema, MAX_RECORDS_PER_USER } from '../../../daemon/trust/pin-record.js';
import { at, connection, key, keyQuestion, pin, policy } from '../trust/fixture.js';
import { callAs, skipUnlessRoot, type RawMessage } from './raw-caller.js';
import { makeWorld, sessionState, type TestWorld } from './world.js';

const stranger = 12345;
const victim = { kind: 'user', uid: 1000 } as const;
const host = 'private.example';
const place = { owner: victim, ...at('192.0.2.1'), name: host };

let world: TestWorld;
let question: string;
beforeEach(async () => {
  world = await makeWorld();
  world.sessions.put(0, sessionState('victims-session', 1000));
  await world.store.putPin(pin({ name: host }));
  await world.store.putPin(pin({ owner: { kind: 'machine' }, fingerprint: key('m') }));
  await world.store.rememberSecured({ ...place, lastSecured: 1 });
  await world.store.allowCleartext({ ...place, since: 1 });
  void world.trust.judge('s', connection({ name: host }), policy(), keyQuestion(key('q')));
  while (world.broker.list().length === 0) await new Promise((resolve) => setImmediate(resolve));
  question = world.broker.list()[0]?.id ?? '';
});
afterEach(async () => {
  await world.close();
});

/** A key file that says everything about the victim's server, as the victim's. */
const file = { version: 1, pins: [pin({ name: host, revoked: true })], secured: [], cleartext: [] };

/** A method that is missing here does not compile. */
const params = (): Readonly<Record<IpcMethod, object>> => ({
  status: {},
  'sessions.list': {},
  'sessions.watch': {},
  'sessions.close': { id: 'victims-session' },
  'keys.list': {},
  'keys.find': { selector: { kind: 'host', host } },
  'keys.add': {
    ...{ fingerprint: key('a'), addresses: ['192.0.2.1'], port: 21, owner: victim },
    ...{ revoked: true, comment: '' },
  },
  'keys.remove': { selector: { kind: 'host', host } },
  'keys.revoke': { selector: { kind: 'fingerprint', fingerprint: key('a') } },
  'keys.rename': { selector: { kind: 'fingerprint', fingerprint: key('a') }, label: 'mine' },
  'keys.export': {},
  'keys.import': { file },
  'prompts.list': {},
  'prompts.watch': {},
  'prompts.answer': { id: question, answer: 'always' },
  'prompts.hold': { id: question },
  'history.list': { limit: 2000 },
  'config.show': {},
  pause: { minutes: 60 },
  resume: {},
  'log.tail': { lines: 10_000, follow: true },
  'agent.register': { vault: 'ready' },
});

/** What a victim sees: sessions, keys, questions, and how long somebody waits for an answer. */
async function everything(): Promise<string> {
  const { store, sessions, broker, closed } = world;
  // When it was asked is shown by what the machine's clock says at this moment: the same, give or take a millisecond.
  const questions = broker.list().map((open) => ({ ...open, openedAt: 'then' }));
  return JSON.stringify([await store.contents(victim), sessions.list(), questions, closed]);
}

function codesOf(answers: readonly RawMessage[], methods: readonly string[]): Record<string, string> {
  const entries = answers.flatMap(({ id, error }) =>
    id === undefined || error === undefined ? [] : [[methods[id] ?? '', error.data?.code ?? ''] as const],
  );
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
}

describe('a user whom nothing belongs to', skipUnlessRoot, () => {
  it('learns nothing about others by any method, and changes nothing of theirs', async () => {
    const before = await everything();
    const methods = Object.entries(params()).map(([method, given]) => ({ method, params: given }));
    const answers = await callAs(stranger, world.path, methods);
    assert.equal(await everything(), before);
    const refused = codesOf(
      answers,
      methods.map(({ method }) => method),
    );
    assert.deepEqual(refused, {
      'keys.add': 'not-permitted',
      'log.tail': 'not-permitted',
      'prompts.answer': 'not-permitted',
      'prompts.hold': 'not-permitted',
      'sessions.close': 'not-permitted',
    });
    // What the stranger says about that server itself comes back to it; what only the daemon and the victim know does not.
    const said = JSON.stringify(answers);
    for (const secret of ['victims-session', key('m'), key('q'), '192.0.2.9', question]) {
      assert.ok(!said.includes(secret), `${secret} in ${said}`);
    }
    const contents = await world.store.contents();
    assert.deepEqual(
      contents.pins.map(({ owner, revoked }) => [owner.kind === 'user' ? owner.uid : 'machine', revoked]),
      [
        [1000, false],
        ['machine', false],
        [stranger, true],
      ],
    );
    assert.equal(world.agents.ready(1000), undefined);
  });

  it('cannot make a server count as secure for others, with a key file that says so', async () => {
    const at2 = { ...at('192.0.2.2'), owner: victim };
    const claim = { version: 1, pins: [], secured: [{ ...at2, lastSecured: 1e15 }], cleartext: [] };
    const [answer] = await callAs(stranger, world.path, [{ method: 'keys.import', params: { file: claim } }]);
    assert.equal(answer?.error, undefined);
    const query = { owner: victim, server: at('192.0.2.2'), name: undefined, fingerprint: undefined };
    assert.equal(world.store.wasSecure(query), false);
    const own = { kind: 'user', uid: stranger } as const;
    assert.equal(world.store.wasSecure({ ...query, owner: own }), true, 'it counts for its own user');
    const [exported] = await callAs(stranger, world.path, [{ method: 'keys.export' }]);
    const { secured } = keyFileSchema.parse(exported?.result);
    assert.deepEqual(secured, [{ ...at('192.0.2.2'), owner: own, lastSecured: 1e15 }]);
    await world.store.rememberSecured({ ...at('192.0.2.2'), owner: own, lastSecured: 1 });
    assert.equal(world.store.wasSecure(query), true, 'until the daemon sees it');
  });

  it('cannot fill the key store for others', async () => {
    const owner = { kind: 'user', uid: stranger } as const;
    const pins = Array.from({ length: MAX_RECORDS_PER_USER }, (_, index) =>
      pin({ owner, ...at(`198.51.${index >> 8}.${index & 255}`) }),
    );
    await world.store.merge({ pins, secured: [], cleartext: [] });
    const one = { fingerprint: key('x'), addresses: ['203.0.113.1'], port: 21, revoked: false, comment: '' };
    const [answer] = await callAs(stranger, world.path, [{ method: 'keys.add', params: one }]);
    assert.match(
      answer?.error?.message ?? '',
      /^The key store is full \(2000 records of a kind for each user/,
    );
    await world.store.putPin(pin({ fingerprint: key('n') }));
  });
});
