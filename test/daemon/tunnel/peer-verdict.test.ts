import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  judgePeer,
  type PeerFacts,
  type PeerPolicy,
  type PeerVerdict,
} from '../../../daemon/tunnel/peer-verdict.js';
import { key } from '../trust/fixture.js';

const none: PeerPolicy = { require: false, strict: false, depth: undefined, fingerprint: undefined };
type Shown = Extract<PeerFacts, { kind: 'shown' }>;
const good: Shown = {
  kind: 'shown',
  fingerprint: key('a'),
  chainError: undefined,
  isInTime: true,
  nameError: undefined,
  depth: 1,
};
const selfSigned: Shown = { ...good, chainError: 'DEPTH_ZERO_SELF_SIGNED_CERT', nameError: 'x', depth: 0 };
const unknown: Shown = { ...good, chainError: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' };
const expired: Shown = { ...good, chainError: 'CERT_HAS_EXPIRED' };
const misnamed: Shown = { ...good, nameError: 'not in the list' };

const kindOf = (verdict: PeerVerdict) => (verdict.kind === 'refused' ? verdict.sentence : verdict.kind);
const asClient = (facts: PeerFacts, policy: Partial<PeerPolicy> = {}) =>
  kindOf(judgePeer(facts, { ...none, ...policy }, 'client'));

describe('the other end', () => {
  it('without options is accepted unchecked, whatever it shows', () => {
    for (const facts of [good, selfSigned, unknown, expired, misnamed])
      assert.equal(asClient(facts), 'unchecked');
    assert.equal(kindOf(judgePeer({ kind: 'none' }, none, 'server')), 'unchecked');
  });

  it('with -r has to be valid, and self-signed will do but proves nothing', () => {
    assert.equal(asClient(good, { require: true }), 'accepted');
    assert.equal(asClient(selfSigned, { require: true }), 'unchecked');
    assert.match(
      asClient({ ...selfSigned, isInTime: false }, { require: true }),
      /expired, or is not valid yet/,
    );
    assert.match(asClient(unknown, { require: true }), /authority that is not known/);
    assert.match(asClient(expired, { require: true }), /has expired/);
    assert.match(asClient(misnamed, { require: true }), /another name: not in the list/);
    assert.match(asClient({ ...good, chainError: 'NEW_TROUBLE' }, { require: true }), /NEW_TROUBLE/);
  });

  it('with -S may not be self-signed either', () => {
    assert.equal(asClient(good, { strict: true }), 'accepted');
    assert.match(asClient(selfSigned, { strict: true }), /signed by itself, and -S refuses that/);
    assert.match(asClient(unknown, { strict: true }), /not known/);
  });

  it('with -V may have so many certificates above it', () => {
    assert.equal(asClient({ ...good, depth: 2 }, { require: true, depth: 2 }), 'accepted');
    assert.match(
      asClient({ ...good, depth: 3 }, { require: true, depth: 2 }),
      /has 3 others above it, and -V allows 2/,
    );
  });

  it('with --fingerprint has to have that key, and then nothing else counts', () => {
    const policy = { fingerprint: key('a'), strict: true, require: true };
    for (const facts of [good, selfSigned, unknown, expired, misnamed]) {
      assert.equal(asClient(facts, policy), 'accepted');
    }
    assert.match(asClient({ ...good, fingerprint: key('b') }, policy), /another key .*SHA256: YmJi/);
  });

  it('that shows nothing is refused by -r and --fingerprint, and as a client only by them', () => {
    const verdict = (policy: Partial<PeerPolicy>) =>
      kindOf(judgePeer({ kind: 'none' }, { ...none, ...policy }, 'server'));
    assert.match(verdict({ require: true }), /client showed no certificate/);
    assert.match(verdict({ fingerprint: key('a') }), /client showed no certificate/);
    assert.equal(verdict({ strict: true }), 'unchecked');
  });
});
