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
    vouchedFor: [],
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
    assert.equal(brief({ pins, name: 'a.test', vouchedFor: ['a.test'] }), '1 revoked refuse');
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
      assert.equal(
        brief({ pins, policy: trust, name: 'a.test', vouchedFor: ['a.test'] }),
        '3 changed refuse',
      );
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
    assert.equal(brief({ pins, name: 'a.test', vouchedFor: ['a.test'] }), '3 renewed accept');
    assert.equal(brief({ pins, name: 'a.test', vouchedFor: ['b.test'] }), '3 changed refuse');
    assert.equal(brief({ pins, name: 'a.test' }), '3 changed refuse');
    const trust = policy({ caValid: 'ask' }).trust;
    assert.equal(brief({ pins, name: 'a.test', vouchedFor: ['a.test'], policy: trust }), '3 renewed ask');
  });

  it('rule 3: one key that a person pinned is enough to stop a renewal', () => {
    const pins = [
      pin({ fingerprint: key('b'), caValidFor: 'a.test', name: 'a.test' }),
      pin({ fingerprint: key('c') }),
    ];
    assert.equal(brief({ pins, name: 'a.test', vouchedFor: ['a.test'] }), '3 changed refuse');
  });

  it('rule 4: a key known from another server, by policy (T20)', () => {
    const pins = [pin({ ...at('198.51.100.7') })];
    assert.equal(brief({ pins }), '4 replicated accept');
    assert.equal(brief({ pins, policy: policy({ replicate: 'ask' }).trust }), '4 replicated ask');
  });

  it('rule 5: vouched for, for the name that the connection goes to, by policy', () => {
    assert.equal(brief({ name: 'A.test', vouchedFor: ['a.test'] }), '5 caValid accept');
    const ask = policy({ caValid: 'ask' }).trust;
    assert.equal(brief({ name: 'a.test', vouchedFor: ['a.test'], policy: ask }), '5 caValid ask');
  });

  it('rule 5 needs the name: a certificate for some other name, or without a known name, is nothing (T21)', () => {
    assert.equal(brief({ name: 'a.test', vouchedFor: ['evil.test'] }), '6 new ask');
    assert.equal(brief({ name: undefined, vouchedFor: ['evil.test'] }), '6 new ask');
    assert.equal(brief({ name: undefined, vouchedFor: [] }), '6 new ask');
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

describe('the verdict where only the DNS ties a name to the address', () => {
  const elsewhere = { ...at('198.51.100.7'), name: 'partner.test' };

  it('a key that is pinned for that name does not pass for the pinned key of the address', () => {
    const pins = [pin({ fingerprint: key('b') }), pin(elsewhere)];
    for (const nameFrom of ['configuration', 'resolver'] as const)
      assert.equal(brief({ pins, name: 'partner.test', nameFrom }), '3 changed refuse');
    // The program's own word: it wants that server and no other.
    assert.equal(brief({ pins, name: 'partner.test', nameFrom: 'client' }), '2 known accept');
  });

  it('a name that was looked up makes no key known; a configured one does at a free address', () => {
    const pins = [pin(elsewhere)];
    const trust = policy({ replicate: 'ask' }).trust;
    const name = 'partner.test';
    assert.equal(brief({ pins, name, nameFrom: 'resolver', policy: trust }), '4 replicated ask');
    assert.equal(brief({ pins, name, nameFrom: 'configuration', policy: trust }), '2 known accept');
  });

  it('every name of the address is enough to see a change', () => {
    const pins = [pin({ fingerprint: key('b'), ...elsewhere })];
    const alsoNamed = ['partner.test'];
    for (const name of ['evil.test', undefined])
      assert.equal(brief({ pins, name, nameFrom: 'resolver', alsoNamed }), '3 changed refuse');
    const vouchedFor = ['evil.test'];
    assert.equal(
      brief({ pins, name: 'evil.test', nameFrom: 'resolver', alsoNamed, vouchedFor }),
      '3 changed refuse',
    );
  });

  it('an authority has to vouch for every name that was looked up', () => {
    const alsoNamed = ['bank.test'];
    const evil = { name: 'evil.test', nameFrom: 'resolver', vouchedFor: ['evil.test'] } as const;
    assert.equal(brief(evil), '5 caValid accept');
    assert.equal(brief({ ...evil, alsoNamed }), '6 new ask');
    assert.equal(brief({ ...evil, nameFrom: 'configuration', alsoNamed }), '6 new ask');
    assert.equal(brief({ ...evil, namesIncomplete: true }), '6 new ask');
    assert.equal(brief({ ...evil, alsoNamed, vouchedFor: ['evil.test', 'bank.test'] }), '5 caValid accept');
    assert.equal(brief({ ...evil, nameFrom: 'client', alsoNamed }), '5 caValid accept');
  });

  it('rule 3: a renewal is one for the pinned name, whatever the address is called now', () => {
    const pins = [pin({ fingerprint: key('b'), caValidFor: 'a.test' })];
    assert.equal(brief({ pins, vouchedFor: ['a.test'] }), '3 renewed accept');
    const named = { pins, name: 'b.test', nameFrom: 'resolver' } as const;
    assert.equal(brief({ ...named, vouchedFor: ['a.test'] }), '3 renewed accept');
    assert.equal(brief({ ...named, vouchedFor: ['b.test'] }), '3 changed refuse');
    const two = [...pins, pin({ fingerprint: key('c'), caValidFor: 'c.test' })];
    assert.equal(brief({ pins: two, vouchedFor: ['a.test'] }), '3 changed refuse');
    assert.equal(brief({ pins: two, vouchedFor: ['a.test', 'c.test'] }), '3 renewed accept');
  });
});
