import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { PromptBroker } from '../../../daemon/trust/prompt-broker.js';
import { TrustService } from '../../../daemon/trust/trust-service.js';
import { Fault } from '../../../shared/fault.js';
import type { HostPolicy } from '../../../shared/policy.js';
import type { Connection, Decision, Question } from '../../../shared/trust.js';
import {
  at,
  certificateDer,
  certificateHex,
  connection,
  key,
  keyFingerprint,
  keyQuestion,
  pin,
  policy,
} from './fixture.js';

let folder: string;
let store: FileStore;
let broker: PromptBroker;
let service: TrustService;
let programOf: (c: Connection) => Promise<string | undefined>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-trust-'));
  store = await FileStore.open(folder);
  broker = new PromptBroker();
  programOf = () => Promise.resolve('tnftp');
  const note = () => undefined;
  service = new TrustService({ store, broker, now: () => 5, programOf: (c) => programOf(c), note });
});
afterEach(async () => {
  broker.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const plain = (anonymous = false): Question => ({ kind: 'cleartext', anonymous, reason: 'AUTH TLS: 502' });
const judge = (
  question: Question,
  { from = connection(), by = policy(), id = 's1' }: { from?: Connection; by?: HostPolicy; id?: string } = {},
) => service.judge(id, from, by, question);

async function opened() {
  for (;;) {
    const [question] = broker.list();
    if (question !== undefined) return question;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function refusal(decision: Decision): string {
  assert.equal(decision.kind, 'refuse');
  assert.match(decision.sentence, /^[\x20-\x7e]{1,300}$/);
  return decision.sentence;
}

describe('a key', () => {
  it('that is new is asked about; "always" is stored before anyone is let through, and not asked again', async () => {
    const decision = judge(keyQuestion(key('a')));
    const question = await opened();
    assert.equal(question.program, 'tnftp');
    assert.match(question.why, /new/);
    assert.equal(await service.answer(question.id, 'always'), 1);
    assert.deepEqual(await decision, { kind: 'allow' });
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
    assert.deepEqual(broker.list(), []);
    await store.close();
    const [saved] = (await (await FileStore.open(folder)).contents()).pins;
    assert.equal(saved?.fingerprint, key('a'));
    assert.deepEqual(saved.owner, { kind: 'user', uid: 1000 });
    assert.equal(saved.count, 2);
  });

  it('trusted this time is asked about again, and its server is known to be secure', async () => {
    const decision = judge(keyQuestion(key('a')));
    await service.answer((await opened()).id, 'once');
    assert.equal((await decision).kind, 'allow');
    assert.equal(service.knownSecure(connection()), true);
    void judge(keyQuestion(key('a')));
    assert.equal((await opened()).waiting, 1);
  });

  it('refused by the person, or not answered in time, is a sentence with the fingerprint and what to do', async () => {
    const refused = judge(keyQuestion(key('a')));
    await service.answer((await opened()).id, 'refuse');
    assert.match(refusal(await refused), /refused by you/);
    const late = refusal(await judge(keyQuestion(key('a')), { by: policy({ promptTimeoutMs: 1 }) }));
    assert.ok(late.includes(key('a')));
    assert.match(late, /ftpseal prompts --answer [0-9a-f]{6}/);
    assert.equal(service.knownSecure(connection()), false);
  });

  it('answered late is let in at the next try', async () => {
    await judge(keyQuestion(key('a')), { by: policy({ promptTimeoutMs: 1 }) });
    assert.equal(await service.answer((await opened()).id, 'always'), 0);
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
  });

  it('that changed is refused at once, under every policy; the store keeps the old one, and one question stays', async () => {
    await store.putPin(pin());
    for (const unknown of ['ask', 'accept-new', 'refuse'] as const) {
      const sentence = refusal(await judge(keyQuestion(key('b')), { by: policy({ unknown }) }));
      assert.match(sentence, /changed/);
      assert.ok(sentence.includes(`ftpseal keys add 192.0.2.1 ${key('b')}`));
    }
    const [question, ...more] = broker.list();
    assert.deepEqual(more, []);
    assert.equal(question?.waiting, 0);
    assert.equal(question.refused, 3);
    assert.deepEqual(question.concern, {
      kind: 'changed',
      earlier: [{ fingerprint: key('a'), firstSeen: 1, count: 0 }],
    });
    assert.deepEqual((await store.contents()).pins, [pin()]);
  });

  it('that changed is trusted only by the server’s name; the new key takes the old one’s place at the next try', async () => {
    const revoked = pin({ fingerprint: key('r'), revoked: true });
    for (const one of [pin(), revoked, pin({ owner: { kind: 'user', uid: 1001 } })]) await store.putPin(one);
    refusal(await judge(keyQuestion(key('b'))));
    const { id } = await opened();
    for (const no of ['always', 'once', { confirmed: '' }, { confirmed: '192.0.2.2' }] as const) {
      await assert.rejects(service.answer(id, no), Fault);
    }
    assert.equal(broker.list().length, 1);
    assert.equal(await service.answer(id, { confirmed: ' 192.0.2.1 ' }), 0);
    assert.deepEqual(await judge(keyQuestion(key('b'))), { kind: 'allow' });
    const keptBy = (uid: number) => async () =>
      (await store.contents()).pins
        .filter(({ owner }) => owner.kind === 'user' && owner.uid === uid)
        .map(({ fingerprint }) => fingerprint)
        .sort();
    assert.deepEqual(await keptBy(1000)(), [key('b'), key('r')].sort());
    assert.deepEqual(await keptBy(1001)(), [key('a')]);
    assert.match(refusal(await judge(keyQuestion(key('r')))), /revoked/);
    assert.match(refusal(await judge(keyQuestion(key('a')))), /changed/);
  });

  it('that changed, with a known name: the address is not enough; a matching fingerprint is', async () => {
    const from = connection({ name: 'Files.Test' });
    await store.putPin(pin({ name: 'files.test' }));
    refusal(await judge(keyQuestion(key('b')), { from }));
    const { id } = await opened();
    await assert.rejects(service.answer(id, { confirmed: '192.0.2.1' }), /not the name/);
    await assert.rejects(service.answer(id, { pasted: key('c') }), /does not match/);
    await service.answer(id, { pasted: key('b') });
    assert.deepEqual(await judge(keyQuestion(key('b')), { from }), { kind: 'allow' });
  });

  it('that changed and was refused by the person is not asked about at every try', async () => {
    await store.putPin(pin());
    refusal(await judge(keyQuestion(key('b'))));
    await service.answer((await opened()).id, 'refuse');
    refusal(await judge(keyQuestion(key('b'))));
    assert.deepEqual(broker.list(), []);
    // A third key is another matter.
    refusal(await judge(keyQuestion(key('c'))));
    assert.equal(broker.list().length, 1);
  });

  it('revoked while a person thinks does not become good by the answer', async () => {
    const decision = judge(keyQuestion(key('a')));
    const { id } = await opened();
    await store.putPin(pin({ revoked: true }));
    await assert.rejects(service.answer(id, 'always'), /revoked meanwhile/);
    await service.answer(id, 'refuse');
    refusal(await decision);
    assert.equal((await store.contents()).pins[0]?.revoked, true);
  });

  it('that was revoked is refused', async () => {
    await store.putPin(pin({ revoked: true }));
    assert.match(refusal(await judge(keyQuestion(key('a')))), /revoked/);
  });

  it('that is revoked while the person thinks is refused', async () => {
    const decision = judge(keyQuestion(key('a')));
    const { id } = await opened();
    await store.putPin(pin({ revoked: true, ...at('198.51.100.1') }));
    await service.answer(id, 'once');
    assert.match(refusal(await decision), /revoked/);
  });

  it('whose name only its certificate claims is asked about, and the name is remembered for the renewal', async () => {
    const note = () => undefined;
    const claimedName = () => Promise.resolve('a.test');
    service = new TrustService({ store, broker, now: () => 5, programOf, note, claimedName });
    const decision = judge(keyQuestion(key('a')));
    const question = await opened();
    assert.match(question.why, /vouches for its key for a\.test, but it is not known whether/);
    await service.answer(question.id, 'always');
    assert.deepEqual(await decision, { kind: 'allow' });
    const [saved] = (await store.contents()).pins;
    assert.equal(saved?.caValidFor, 'a.test');
    assert.equal(saved.name, undefined);
    assert.deepEqual(await judge(keyQuestion(key('b'), { caValidFor: 'a.test' })), { kind: 'allow' });
    assert.deepEqual(
      (await store.contents()).pins.map(({ fingerprint, caValidFor }) => [fingerprint, caValidFor]),
      [[key('b'), 'a.test']],
    );
  });

  it('of an address with two names is asked about, although an authority vouches for one of them', async () => {
    const from = connection({ name: 'evil.test', nameFrom: 'resolver', alsoNamed: ['bank.test'] });
    void judge(keyQuestion(key('a'), { caValidFor: 'evil.test' }), { from });
    assert.match((await opened()).why, /for evil\.test, but the address also belongs to bank\.test/);
  });

  it('renewed with an authority’s word takes the place of the old one', async () => {
    await store.putPin(pin({ name: 'a.test', caValidFor: 'a.test' }));
    const from = connection({ name: 'a.test' });
    const renewed = keyQuestion(key('b'), { caValidFor: 'a.test' });
    assert.deepEqual(await judge(renewed, { from }), { kind: 'allow' });
    assert.deepEqual(
      (await store.contents()).pins.map((p) => p.fingerprint),
      [key('b')],
    );
    assert.match(refusal(await judge(keyQuestion(key('a')), { from })), /changed/);
    assert.equal(service.knownSecure(from), true);
  });

  it('of another user is nothing to this one', async () => {
    await store.putPin(pin({ owner: { kind: 'user', uid: 1001 } }));
    void judge(keyQuestion(key('a')));
    assert.match((await opened()).why, /never seen/);
  });

  it('a pasted fingerprint of key or certificate trusts, another one does not and leaves the question open (T24)', async () => {
    for (const pasted of [keyFingerprint, certificateHex.toUpperCase()]) {
      const from = connection({ server: at(pasted === keyFingerprint ? '192.0.2.3' : '192.0.2.4') });
      const asked = policy({ replicate: 'ask' });
      const decision = judge(keyQuestion(keyFingerprint, { der: certificateDer.toString('base64') }), {
        from,
        by: asked,
      });
      const { id } = await opened();
      await assert.rejects(service.answer(id, { pasted: key('x') }), /does not match/);
      await assert.rejects(service.answer(id, { pasted: 'yes' }), Fault);
      assert.equal(broker.list().length, 1);
      assert.equal(await service.answer(id, { pasted }), 1);
      assert.equal((await decision).kind, 'allow');
    }
  });

  it('a certificate that does not hold the key in question proves nothing', async () => {
    void judge(keyQuestion(key('a'), { der: certificateDer.toString('base64') }));
    await assert.rejects(service.answer((await opened()).id, { pasted: certificateHex }), /does not match/);
  });

  it('a session that left before the question could be asked asks none', async () => {
    let release: () => void = () => undefined;
    programOf = () =>
      new Promise((resolve) => {
        release = () => {
          resolve('x');
        };
      });
    const decision = judge(keyQuestion(key('a')));
    await new Promise((resolve) => setImmediate(resolve));
    service.withdraw('s1');
    release();
    assert.equal((await decision).kind, 'refuse');
    assert.deepEqual(broker.list(), []);
  });

  it('a name full of control characters can’t break out of the reply line', async () => {
    const from = connection({ name: `evil\r\n230 in\u001b[2J${'x'.repeat(200)}` });
    refusal(await judge(keyQuestion(key('a')), { from, by: policy({ unknown: 'refuse' }) }));
  });

  it('a long name or address leaves the command whole', async () => {
    const server = at('2001:db8:1111:2222:3333:4444:5555:6666', 21210);
    await store.putPin(pin({ ...server }));
    for (const name of [undefined, `${'n'.repeat(60)}.test`]) {
      const from = connection({ server, ...(name === undefined ? {} : { name }) });
      const sentence = refusal(await judge(keyQuestion(key('b')), { from }));
      const command = `ftpseal keys add [2001:db8:1111:2222:3333:4444:5555:6666]:21210 ${key('b')}`;
      assert.ok(sentence.endsWith(command), sentence);
    }
  });
});

describe('cleartext', () => {
  it('goes by policy', async () => {
    assert.deepEqual(await judge(plain(), { by: policy({}, 'allow') }), { kind: 'allow' });
    const warned = await judge(plain(), { by: policy({}, 'warn') });
    assert.ok(warned.kind === 'allow' && warned.warning?.includes('not encrypted'));
    assert.match(refusal(await judge(plain(), { by: policy({}, 'refuse') })), /fallback\.cleartext/);
  });

  it('gets no warning for an anonymous login', async () => {
    assert.deepEqual(await judge(plain(true), { by: policy({}, 'warn') }), { kind: 'allow' });
  });

  it('is never allowed to a server that was secure, whatever the policy (T08)', async () => {
    await store.rememberSecured({
      owner: { kind: 'user', uid: 1000 },
      ...at('192.0.2.1'),
      lastSecured: 1,
    });
    for (const cleartext of ['allow', 'warn', 'ask', 'refuse'] as const) {
      assert.match(refusal(await judge(plain(true), { by: policy({}, cleartext) })), /encrypted before/);
    }
    assert.deepEqual(
      broker.list().map(({ waiting, refused, concern }) => [waiting, refused, concern.kind]),
      [[0, 3, 'downgraded']],
      'asked once, and not where the configuration refuses anyway',
    );
  });

  it('to a server that was secure is allowed by its typed name alone, from the next try on', async () => {
    await store.putPin(pin());
    refusal(await judge(plain()));
    const { id, concern } = await opened();
    assert.equal(concern.kind === 'downgraded' && concern.earlier[0]?.fingerprint, key('a'));
    for (const no of ['always', 'once', { confirmed: 'yes' }, { pasted: key('a') }] as const) {
      await assert.rejects(service.answer(id, no), Fault);
    }
    assert.match(refusal(await judge(plain())), /encrypted before/);
    await service.answer(id, { confirmed: '192.0.2.1' });
    assert.equal((await judge(plain(), { by: policy({}, 'ask') })).kind, 'allow');
    assert.equal(service.knownSecure(connection()), false);
  });

  it('what can’t be judged because the keys can’t be read is a refusal that people are told of', async () => {
    const told: string[] = [];
    const shut = new TrustService({
      store: Object.assign(Object.create(store) as FileStore, {
        know: () => Promise.reject(new Fault('store', 'The keychain is locked.')),
      }),
      broker,
      now: () => 5,
      programOf: () => Promise.resolve(undefined),
      note: () => undefined,
      observe: (event) => told.push(event.kind === 'refused' ? event.sentence : event.kind),
    });
    await assert.rejects(shut.judge('s', connection(), policy(), plain()), /locked/);
    assert.deepEqual(told, ['The keychain is locked.']);
  });

  it('to a server that others use encrypted, or with a revoked key, is not one user’s to allow', async () => {
    const others = { owner: { kind: 'machine' }, ...at('192.0.2.1') } as const;
    await store.rememberSecured({ ...others, lastSecured: 1 });
    refusal(await judge(plain()));
    await assert.rejects(service.answer((await opened()).id, { confirmed: '192.0.2.1' }), /administrator/);
    await store.forgetPlace(others);
    await store.putPin(pin({ revoked: true }));
    await assert.rejects(service.answer((await opened()).id, { confirmed: '192.0.2.1' }), /revoked/);
    assert.match(refusal(await judge(plain())), /encrypted before/);
  });

  it('asked for and allowed always is not asked for again, by this user', async () => {
    const by = policy({}, 'ask');
    const decision = judge(plain(), { by });
    await service.answer((await opened()).id, 'always');
    assert.equal((await decision).kind, 'allow');
    assert.equal((await judge(plain(), { by })).kind, 'allow');
    assert.deepEqual(broker.list(), []);
    void judge(plain(), { by, from: connection({ uid: 1001 }) });
    assert.equal((await opened()).waiting, 1);
  });

  it('a fingerprint is no answer to it', async () => {
    void judge(plain(), { by: policy({}, 'ask') });
    await assert.rejects(service.answer((await opened()).id, { pasted: key('a') }), Fault);
  });
});

describe('a leave to go on in clear', () => {
  it('that was given for a name is none for an address that is only said to have that name', async () => {
    const by = policy({}, 'ask');
    const at1 = connection({ name: 'a.test', nameFrom: 'client' });
    const decision = judge(plain(), { from: at1, by });
    await service.answer((await opened()).id, 'always');
    assert.equal((await decision).kind, 'allow');
    const there = { server: at('198.51.100.7'), name: 'a.test' } as const;
    assert.equal(
      (await judge(plain(), { from: connection({ ...there, nameFrom: 'client' }), by })).kind,
      'allow',
    );
    void judge(plain(), { from: connection({ ...there, nameFrom: 'resolver' }), by });
    assert.equal((await opened()).concern.kind, 'cleartext');
  });

  it('is none where any name of the address was encrypted before', async () => {
    await judge(keyQuestion(key('a')), {
      from: connection({ name: 'a.test' }),
      by: policy({ unknown: 'accept-new' }),
    });
    const there = connection({ server: at('198.51.100.7'), name: 'b.test', nameFrom: 'resolver' });
    assert.equal((await judge(plain(), { from: there })).kind, 'allow');
    assert.equal((await judge(plain(), { from: { ...there, alsoNamed: ['a.test'] } })).kind, 'refuse');
  });
});
