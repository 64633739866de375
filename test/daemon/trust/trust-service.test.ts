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
    assert.equal(await service.knownSecure(connection()), true);
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
    assert.equal(await service.knownSecure(connection()), false);
  });

  it('answered late is let in at the next try', async () => {
    await judge(keyQuestion(key('a')), { by: policy({ promptTimeoutMs: 1 }) });
    assert.equal(await service.answer((await opened()).id, 'always'), 0);
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
  });

  it('that changed is refused without a question, under every policy, and the store keeps the old one', async () => {
    await store.putPin(pin());
    for (const unknown of ['ask', 'accept-new', 'refuse'] as const) {
      const sentence = refusal(await judge(keyQuestion(key('b')), { by: policy({ unknown }) }));
      assert.match(sentence, /changed/);
      assert.ok(sentence.includes(`ftpseal keys add 192.0.2.1 ${key('b')}`));
    }
    assert.deepEqual(broker.list(), []);
    assert.deepEqual((await store.contents()).pins, [pin()]);
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
    assert.equal(await service.knownSecure(from), true);
  });

  it('of another user is nothing to this one', async () => {
    await store.putPin(pin({ owner: { kind: 'user', uid: 1001 } }));
    void judge(keyQuestion(key('a')));
    assert.match((await opened()).why, /never seen/);
  });

  it('a pasted fingerprint of key or certificate trusts, another one does not and leaves the question open', async () => {
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

  it('is never allowed to a server that was secure, whatever the policy', async () => {
    await store.rememberSecured({
      owner: { kind: 'user', uid: 1000 },
      ...at('192.0.2.1'),
      lastSecured: 1,
    });
    for (const cleartext of ['allow', 'warn', 'ask', 'refuse'] as const) {
      assert.match(refusal(await judge(plain(true), { by: policy({}, cleartext) })), /encrypted before/);
    }
    assert.deepEqual(broker.list(), []);
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
