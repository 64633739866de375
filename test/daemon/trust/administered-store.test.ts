// The administrator's keys before a person's own: who wins, in every combination, with the real stores, service and broker.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { AdministeredStore } from '../../../daemon/trust/administered-store.js';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { FixedKeys } from '../../../daemon/trust/fixed-keys.js';
import type { PinRecord } from '../../../daemon/trust/pin-record.js';
import { PromptBroker } from '../../../daemon/trust/prompt-broker.js';
import { TrustService } from '../../../daemon/trust/trust-service.js';
import { Fault } from '../../../shared/fault.js';
import type { Connection, Decision, Question } from '../../../shared/trust.js';
import { at, connection, key, keyQuestion, pin, policy } from './fixture.js';

let base: string;
let file: FileStore;
let fixed: FixedKeys;
let store: AdministeredStore;
let broker: PromptBroker;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'ftpseal-fixed-'));
  await mkdir(join(base, 'keys.d'), { mode: 0o755 });
  file = await FileStore.open(join(base, 'state'));
  fixed = new FixedKeys({
    folder: join(base, 'keys.d'),
    also: [process.geteuid?.() ?? 0],
    note: () => undefined,
  });
  store = new AdministeredStore(file, fixed);
  broker = new PromptBroker();
});
afterEach(async () => {
  broker.close();
  await store.close();
  await rm(base, { recursive: true, force: true });
});

const service = (peopleMayTrust = true) =>
  new TrustService({
    store,
    broker,
    now: () => 5,
    programOf: () => Promise.resolve(undefined),
    note: () => undefined,
    peopleMayTrust,
  });

async function give(...pins: readonly PinRecord[]): Promise<void> {
  await giveText(JSON.stringify({ version: 1, pins, secured: [], cleartext: [] }));
}

async function giveText(text: string): Promise<void> {
  await writeFile(join(base, 'keys.d', 'fleet.json'), text, { mode: 0o644 });
  await fixed.load();
}

const plain: Question = { kind: 'cleartext', anonymous: false, reason: 'AUTH TLS: 502' };
const judge = (question: Question, by = policy(), from: Connection = connection(), people = true) =>
  service(people).judge('s1', from, by, question);

function sentence(decision: Decision): string {
  assert.equal(decision.kind, 'refuse');
  assert.match(decision.sentence, /^[\x20-\x7e]{1,300}$/);
  return decision.sentence;
}

async function opened() {
  for (;;) {
    const [question] = broker.list();
    if (question !== undefined) return question;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a key that the administrator fixed', () => {
  it('goes on without a question, for every user, and leaves no copy with the person', async () => {
    await give(pin({ owner: { kind: 'user', uid: 4 } }));
    for (const uid of [1000, 1001, undefined]) {
      const { server, client } = connection();
      const from = uid === undefined ? { server, client } : { server, client, uid };
      assert.deepEqual(await judge(keyQuestion(key('a')), policy({ unknown: 'refuse' }), from), {
        kind: 'allow',
      });
    }
    assert.deepEqual((await store.contents()).pins, []);
    assert.deepEqual([fixed.records.pins[0]?.count, fixed.records.pins[0]?.lastUsed], [3, 5]);
    await fixed.load();
    assert.equal(fixed.records.pins[0]?.count, 3, 'uses outlast a reading');
    await giveText('{"version":1,"pins":[],"secured":[],"cleartext":[]}');
    sentence(await judge(keyQuestion(key('a')), policy({ unknown: 'refuse' })));
  });

  it('is known by its name alone', async () => {
    await writeFile(join(base, 'keys.d', 'files.example.test.pem'), key('a'), { mode: 0o644 });
    await fixed.load();
    const from = { ...connection(), name: 'Files.Example.test' };
    assert.deepEqual(await judge(keyQuestion(key('a')), policy({ unknown: 'refuse' }), from), {
      kind: 'allow',
    });
    assert.deepEqual((await store.contents()).pins, []);
    assert.match(
      sentence(await judge(keyQuestion(key('b')), policy({ unknown: 'accept-new' }), from)),
      /administrator/,
    );
  });

  it('comes before one that the person trusts, which is refused, without a question', async () => {
    await file.putPin(pin({ fingerprint: key('b') }));
    assert.deepEqual(await judge(keyQuestion(key('b'))), { kind: 'allow' });
    await give(pin());
    const why = sentence(await judge(keyQuestion(key('b'))));
    assert.match(why, /administrator of this machine has fixed another/);
    assert.doesNotMatch(why, /keys add/);
    assert.deepEqual(broker.list(), []);
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
  });

  it('is not renewed by an authority, unless it vouched for the fixed one too, for the same name', async () => {
    const from = { ...connection(), name: 'a.test' };
    const vouched = keyQuestion(key('b'), { caValidFor: 'a.test' });
    await give(pin({ name: 'a.test' }));
    sentence(await judge(vouched, policy(), from));
    await give(pin({ name: 'a.test', caValidFor: 'other.test' }));
    sentence(await judge(vouched, policy(), from));
    await give(pin({ name: 'a.test', caValidFor: 'a.test' }), pin({ name: 'a.test', fingerprint: key('c') }));
    sentence(await judge(vouched, policy(), from));
    await give(pin({ name: 'a.test', caValidFor: 'a.test' }));
    assert.deepEqual(await judge(vouched, policy(), from), { kind: 'allow' });
  });

  it('is refused where the person, or the administrator, has revoked it', async () => {
    await give(pin());
    await file.putPin(pin({ revoked: true }));
    assert.match(sentence(await judge(keyQuestion(key('a')))), /revoked/);
    await file.removePins([pin()]);
    await file.putPin(pin({ fingerprint: key('b'), ...at('192.0.2.5') }));
    await give(pin({ fingerprint: key('b'), revoked: true }));
    const there = { ...connection(), server: at('192.0.2.5') };
    assert.match(sentence(await judge(keyQuestion(key('b')), policy(), there)), /revoked/);
  });

  it('makes cleartext to its server impossible, whatever a person allowed', async () => {
    await file.allowCleartext({ owner: { kind: 'user', uid: 1000 }, ...at('192.0.2.1'), since: 1 });
    assert.deepEqual(await judge(plain, policy({}, 'allow')), { kind: 'allow' });
    await give(pin());
    for (const cleartext of ['allow', 'warn', 'ask'] as const)
      assert.match(
        sentence(await judge(plain, policy({}, cleartext))),
        /administrator.*no password was sent/,
      );
    assert.deepEqual(broker.list(), []);
    assert.equal(service().knownSecure(connection()), true);
    await giveText(
      JSON.stringify({
        version: 1,
        pins: [],
        secured: [{ owner: { kind: 'machine' }, ...at('192.0.2.1'), lastSecured: 1 }],
        cleartext: [],
      }),
    );
    assert.match(sentence(await judge(plain, policy({}, 'allow'))), /administrator/);
  });

  it('while a question was open makes the answer count for nothing', async () => {
    const decision = judge(keyQuestion(key('b')));
    const { id } = await opened();
    await give(pin());
    await assert.rejects(
      service().answer(id, 'always'),
      (error) => error instanceof Fault && error.code === 'not-permitted',
    );
    assert.deepEqual((await store.contents()).pins, []);
    await service().answer(id, 'once');
    assert.match(sentence(await decision), /administrator/);
  });

  it('says nothing about other servers and other ports', async () => {
    await give(pin());
    const other = { ...connection(), server: at('192.0.2.1', 2121) };
    assert.deepEqual(await judge(plain, policy({}, 'allow'), other), { kind: 'allow' });
    assert.deepEqual(await judge(keyQuestion(key('b')), policy({ unknown: 'accept-new' }), other), {
      kind: 'allow',
    });
  });
});

describe('files of the administrator’s that can’t be read', () => {
  it('leave nothing to pass without a question: any server may be in them', async () => {
    await giveText('{');
    const from = { ...connection(), name: 'a.test' };
    const policies = policy({ unknown: 'accept-new', promptTimeoutMs: 1 }, 'allow');
    for (const question of [keyQuestion(key('b')), keyQuestion(key('c'), { caValidFor: 'a.test' }), plain])
      assert.match(sentence(await judge(question, policies, from)), /answer the question/);
    assert.match(sentence(await judge(plain, policy({}, 'refuse'))), /configuration refuses/);
  });

  it('change nothing about what a person trusts already', async () => {
    await file.putPin(pin());
    await giveText('{');
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
  });

  it('in a folder that anybody can change are not believed', async () => {
    await give(pin());
    fixed.close();
    fixed = new FixedKeys({
      folder: join(base, 'keys.d'),
      also: [process.geteuid?.() ?? 0],
      note: () => undefined,
    });
    store = new AdministeredStore(file, fixed);
    await chmod(join(base, 'keys.d'), 0o777);
    await fixed.load();
    sentence(await judge(keyQuestion(key('a')), policy({ unknown: 'refuse' })));
  });
});

describe('where people may not trust', () => {
  it('nobody is asked, and the sentence says whom to ask instead; root is asked as ever', async () => {
    for (const question of [keyQuestion(key('a')), plain])
      assert.match(
        sentence(await judge(question, policy({}, 'ask'), connection(), false)),
        /Ask the administrator/,
      );
    await file.putPin(pin({ fingerprint: key('b') }));
    sentence(await judge(keyQuestion(key('a')), policy(), connection(), false));
    sentence(await judge(plain, policy(), connection(), false));
    assert.deepEqual(broker.list(), []);
    const root = { ...connection(), uid: 0, server: at('192.0.2.6') };
    const decision = judge(keyQuestion(key('c')), policy(), root, false);
    const { id } = await opened();
    await service(false).answer(id, 'once');
    assert.deepEqual(await decision, { kind: 'allow' });
  });

  it('the keys of the administrator’s and of authorities count as ever', async () => {
    await give(pin());
    assert.deepEqual(await judge(keyQuestion(key('a')), policy(), connection(), false), { kind: 'allow' });
    const from = { ...connection(), server: at('192.0.2.6'), name: 'a.test' };
    const vouched = keyQuestion(key('b'), { caValidFor: 'a.test' });
    assert.deepEqual(await judge(vouched, policy(), from, false), { kind: 'allow' });
  });
});
