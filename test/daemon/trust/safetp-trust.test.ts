// What X-SafeTP1 adds to trust: keys handed over as text, brands that are shown, and the rule that nothing weak follows something strong.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { formatQuestion } from '../../../daemon/cli/question-text.js';
import { formatKeyText } from '../../../daemon/security/safetp/key-text.js';
import { FileStore } from '../../../daemon/trust/file-store.js';
import { PromptBroker } from '../../../daemon/trust/prompt-broker.js';
import { parseGivenKey } from '../../../daemon/trust/spki.js';
import { TrustService } from '../../../daemon/trust/trust-service.js';
import type { Question } from '../../../shared/trust.js';
import { otherKey, serverKey } from '../security/safetp/fixture.js';
import { at, connection, key, pin, policy } from './fixture.js';

const text = formatKeyText(serverKey.branded);
const { fingerprint } = serverKey.branded.key;
const question: Question = {
  kind: 'key',
  identity: {
    mechanism: 'X-SafeTP1',
    fingerprint,
    protocol: 'X-SafeTP1 (legacy)',
    cipher: 'Triple-DES and HMAC-SHA1',
    brand: 'ftp.example.org',
  },
};

let folder: string;
let store: FileStore;
let broker: PromptBroker;
let service: TrustService;
let notes: Readonly<Record<string, string | number>>[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-safetp-trust-'));
  store = await FileStore.open(folder);
  broker = new PromptBroker();
  notes = [];
  service = new TrustService({
    store,
    broker,
    now: () => 5,
    programOf: () => Promise.resolve('tnftp'),
    note: (_, fields) => notes.push(fields),
  });
});
afterEach(async () => {
  broker.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function opened() {
  for (;;) {
    const [question] = broker.list();
    if (question !== undefined) return question;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a SafeTP public key as text', () => {
  it('gives the fingerprint that is pinned, with a mail around it', () => {
    assert.deepEqual(parseGivenKey(`Hello,\n${text}`), { fingerprint, from: 'SafeTP public key' });
  });
  it('is refused when it is damaged', () => {
    const damaged = text.replace(/\n\n(.)/, (_, first: string) => `\n\n${first === 'A' ? 'B' : 'A'}`);
    assert.throws(() => parseGivenKey(damaged), { name: 'Fault', code: 'key' });
  });
  it('answers the question about the key, and another one does not', async () => {
    const decision = service.judge('s1', connection(), policy(), question);
    const { id } = await opened();
    await assert.rejects(service.answer(id, { pasted: formatKeyText(otherKey.branded) }), /does not match/);
    assert.equal(await service.answer(id, { pasted: text }), 1);
    assert.equal((await decision).kind, 'allow');
    const { pins } = await store.contents();
    assert.deepEqual(
      pins.map((one) => [one.fingerprint, one.mechanism]),
      [[fingerprint, 'X-SafeTP1']],
    );
  });
});

describe('a SafeTP key in trust', () => {
  it('is known again at another address of the same server, as any other key', async () => {
    await store.putPin(pin({ fingerprint, mechanism: 'X-SafeTP1' }));
    const elsewhere = connection({ server: at('192.0.2.2') });
    assert.equal((await service.judge('s1', elsewhere, policy(), question)).kind, 'allow');
    assert.equal((await store.contents()).pins.length, 2);
  });
  it('is accepted whatever it calls itself; the brand is noted when the key is met at a new place', async () => {
    await store.putPin(pin({ fingerprint, mechanism: 'X-SafeTP1' }));
    assert.equal((await service.judge('s1', connection(), policy(), question)).kind, 'allow');
    await service.judge('s2', connection({ server: at('192.0.2.3') }), policy(), question);
    assert.ok(notes.some((fields) => fields['brand'] === 'ftp.example.org'));
  });
  it('is accepted under a new name, which is noted', async () => {
    await store.putPin(pin({ fingerprint, mechanism: 'X-SafeTP1' }));
    const renamed = { ...question, identity: { ...question.identity, brand: 'files.example.org' } };
    for (const one of [question, question, renamed, renamed])
      assert.equal((await service.judge('s1', connection(), policy(), one)).kind, 'allow');
    assert.deepEqual(
      notes.map((fields) => fields['brand']),
      ['files.example.org'],
    );
  });
  it('is refused where a certificate’s key is pinned', async () => {
    await store.putPin(pin());
    const decision = await service.judge('s1', connection(), policy({ unknown: 'accept-new' }), question);
    assert.equal(decision.kind, 'refuse');
  });
  it('is shown with its brand, as legacy, and with a warning about the name', async () => {
    void service.judge('s1', connection(), policy(), question);
    const open = await opened();
    const shown = formatQuestion({ ...open, waiting: 1, refused: 0 }, () => 'alice');
    for (const part of ['X-SafeTP1 (legacy)', 'ftp.example.org (anybody can choose such a name)', 'SHA256'])
      assert.ok(shown.includes(part), `${part} in ${shown}`);
  });
});

describe('what a server is only known by', () => {
  const only = () => service.onlyKnownBy(connection(), 'X-SafeTP1');
  it('is nothing, for one that is not known', async () => {
    assert.equal(await only(), false);
  });
  it('is X-SafeTP1 while all its keys are', async () => {
    await store.putPin(pin({ fingerprint, mechanism: 'X-SafeTP1' }));
    assert.equal(await only(), true);
    await store.putPin(pin({ fingerprint: key('a') }));
    assert.equal(await only(), false);
  });
  it('counts revoked keys too', async () => {
    await store.putPin(pin({ fingerprint, mechanism: 'X-SafeTP1' }));
    await store.putPin(pin({ fingerprint: key('a'), revoked: true }));
    assert.equal(await only(), false);
  });
  it('does not count the keys of other servers', async () => {
    await store.putPin(pin({ fingerprint, mechanism: 'X-SafeTP1' }));
    await store.putPin(pin({ ...at('192.0.2.1', 2121), fingerprint: key('a') }));
    assert.equal(await only(), true);
  });
});
