// Trust for devices behind a gateway: nobody sits there, so nobody is waited for, and what root says counts.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { PromptBroker } from '../../../daemon/trust/prompt-broker.js';
import { TrustService } from '../../../daemon/trust/trust-service.js';
import type { Decision, Question } from '../../../shared/trust.js';
import { at, connection, key, keyQuestion, policy } from './fixture.js';

let folder: string;
let store: FileStore;
let broker: PromptBroker;
let service: TrustService;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-device-'));
  store = await FileStore.open(folder);
  broker = new PromptBroker();
  const programOf = () => Promise.resolve(undefined);
  // Root decides for devices, whoever else may.
  const peopleMayTrust = false;
  service = new TrustService({
    store,
    broker,
    now: () => 5,
    programOf,
    note: () => undefined,
    peopleMayTrust,
  });
});
afterEach(async () => {
  broker.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const device = connection({ client: at('10.21.0.2', 40000), uid: undefined, forwarded: true });
const plain: Question = { kind: 'cleartext', anonymous: false, reason: 'AUTH TLS: 502' };
/** A person's time to answer, in which a device's program would give up. */
const hours = { promptTimeoutMs: 3_600_000 };

function judge(question: Question, fallback: 'warn' | 'ask' = 'warn'): Promise<Decision> {
  return service.judge('s1', device, { ...policy(hours), fallback: { cleartext: fallback } }, question);
}

function refusal(decision: Decision): string {
  assert.equal(decision.kind, 'refuse');
  assert.match(decision.sentence, /^[\x20-\x7e]{1,300}$/);
  return decision.sentence;
}

describe('for a device', () => {
  it('an unknown key is refused without waiting; what root trusts then is the machine’s', async () => {
    const sentence = refusal(await judge(keyQuestion(key('a'))));
    assert.ok(sentence.includes(key('a')), sentence);
    const [question] = broker.list();
    assert.ok(question !== undefined && sentence.includes(`ftpseal prompts --answer ${question.id}`));
    assert.deepEqual([question.owner, question.waiting], [{ kind: 'machine' }, 0]);
    assert.equal(await service.answer(question.id, 'always'), 0);
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
    const { pins } = await store.contents();
    assert.deepEqual(
      pins.map(({ owner }) => owner),
      [{ kind: 'machine' }],
    );
    assert.match(refusal(await judge(keyQuestion(key('b')))), /changed its key/);
  });

  it('"this time" is the next try and no other', async () => {
    refusal(await judge(keyQuestion(key('a'))));
    await service.answer(broker.list()[0]?.id ?? '', 'once');
    assert.deepEqual(await judge(keyQuestion(key('a'))), { kind: 'allow' });
    refusal(await judge(keyQuestion(key('a'))));
  });

  it('a no names who has said it', async () => {
    refusal(await judge(keyQuestion(key('a'))));
    await service.answer(broker.list()[0]?.id ?? '', 'refuse');
    assert.match(refusal(await judge(keyQuestion(key('a')))), /refused by the gateway's administrator/);
    assert.deepEqual(broker.list(), []);
  });

  it('cleartext that is to be asked about is refused without waiting too', async () => {
    assert.match(refusal(await judge(plain, 'ask')), /offers no encryption.*ftpseal prompts --answer/);
    await service.answer(broker.list()[0]?.id ?? '', 'always');
    assert.equal((await judge(plain, 'ask')).kind, 'allow');
  });
});
