import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeKey, type VerdictInput } from '../../../daemon/trust/verdict.js';
import { at, key, pin, policy } from './fixture.js';

function judge(fields: Partial<VerdictInput>) {
  return judgeKey({
    pins: [],
    server: at('192.0.2.1'),
    name: undefined,
    fingerprint: key('a'),
    caValidFor: undefined,
    policy: policy().trust,
    ...fields,
  });
}

const brief = (fields: Partial<VerdictInput>) => {
  const { kind, rule, action } = judge(fields);
  return `${rule} ${kind} ${action}`;
};

describe('the verdict on a key', () => {
  it('rule 1: a revoked key is refused, even where it is pinned and vouched for', () => {
    const pins = [pin(), pin({ revoked: true, ...at('198.51.100.7') }), pin({ owner: { kind: 'machine' } })];
    assert.equal(brief({ pins, name: 'a.test', caValidFor: 'a.test' }), '1 revoked refuse');
  });

  it('rule 2: a key pinned for this address and port goes on', () => {
    assert.equal(brief({ pins: [pin()] }), '2 known accept');
  });

  it('rule 2: a key pinned under this name goes on at a new address, by name only on the same port (T20)', () => {
    const pins = [pin({ ...at('198.51.100.7'), name: 'Ftp.A.test.' })];
    assert.equal(brief({ pins, name: 'ftp.a.test' }), '2 known accept');
    assert.equal(brief({ pins, name: 'ftp.a.test', server: at('192.0.2.1', 2121) }), '4 replicated accept');
  });

  it('rule 2: one of several pinned keys is enough (T20)', () => {
    assert.equal(brief({ pins: [pin({ fingerprint: key('b') }), pin()] }), '2 known accept');
  });

  it('rule 3: another key than the pinned one is refused under every policy (T20)', () => {
    const pins = [pin({ fingerprint: key('b') })];
    for (const unknown of ['ask', 'accept-new', 'refuse'] as const) {
      const trust = policy({ unknown, caValid: 'accept', replicate: 'accept' }).trust;
      assert.equal(brief({ pins, policy: trust }), '3 changed refuse');
      assert.equal(brief({ pins, policy: trust, name: 'a.test', caValidFor: 'a.test' }), '3 changed refuse');
    }
  });

  it('rule 3: the name alone is enough to see a change', () => {
    const pins = [pin({ fingerprint: key('b'), ...at('198.51.100.7'), name: 'a.test' })];
    assert.equal(brief({ pins, name: 'a.test' }), '3 changed refuse');
  });

  it('rule 3 comes before rule 4: a key known from elsewhere does not replace the one of this server', () => {
    const pins = [pin({ fingerprint: key('b') }), pin({ ...at('198.51.100.7') })];
    assert.equal(brief({ pins }), '3 changed refuse');
  });

  it('rule 3: an authority may replace what it vouched for, for the same name only (T21)', () => {
    const pins = [pin({ fingerprint: key('b'), caValidFor: 'a.test', name: 'a.test' })];
    assert.equal(brief({ pins, name: 'a.test', caValidFor: 'a.test' }), '3 renewed accept');
    assert.equal(brief({ pins, name: 'a.test', caValidFor: 'b.test' }), '3 changed refuse');
    assert.equal(brief({ pins, name: 'a.test' }), '3 changed refuse');
    const trust = policy({ caValid: 'ask' }).trust;
    assert.equal(brief({ pins, name: 'a.test', caValidFor: 'a.test', policy: trust }), '3 renewed ask');
  });

  it('rule 3: one key that a person pinned is enough to stop a renewal', () => {
    const pins = [
      pin({ fingerprint: key('b'), caValidFor: 'a.test', name: 'a.test' }),
      pin({ fingerprint: key('c') }),
    ];
    assert.equal(brief({ pins, name: 'a.test', caValidFor: 'a.test' }), '3 changed refuse');
  });

  it('rule 4: a key known from another server, by policy (T20)', () => {
    const pins = [pin({ ...at('198.51.100.7') })];
    assert.equal(brief({ pins }), '4 replicated accept');
    assert.equal(brief({ pins, policy: policy({ replicate: 'ask' }).trust }), '4 replicated ask');
  });

  it('rule 5: vouched for, for the name that the connection goes to, by policy', () => {
    assert.equal(brief({ name: 'A.test', caValidFor: 'a.test' }), '5 caValid accept');
    const ask = policy({ caValid: 'ask' }).trust;
    assert.equal(brief({ name: 'a.test', caValidFor: 'a.test', policy: ask }), '5 caValid ask');
  });

  it('rule 5 needs the name: a certificate for some other name, or without a known name, is nothing (T21)', () => {
    assert.equal(brief({ name: 'a.test', caValidFor: 'evil.test' }), '6 new ask');
    assert.equal(brief({ name: undefined, caValidFor: 'evil.test' }), '6 new ask');
    assert.equal(brief({ name: undefined, caValidFor: undefined }), '6 new ask');
  });

  it('rule 6: a new key, by policy (T20)', () => {
    assert.equal(brief({}), '6 new ask');
    assert.equal(brief({ policy: policy({ unknown: 'accept-new' }).trust }), '6 new accept');
    assert.equal(brief({ policy: policy({ unknown: 'refuse' }).trust }), '6 new refuse');
  });

  it('rule 6: after a revoked key accept-new asks, because this is no first contact', () => {
    const pins = [pin({ fingerprint: key('b'), revoked: true })];
    assert.equal(brief({ pins, policy: policy({ unknown: 'accept-new' }).trust }), '6 new ask');
  });
});
