import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loosens, stricter } from '../../../daemon/proxy/policy-order.js';
import { policy } from '../trust/fixture.js';

describe('of two policies', () => {
  it('the stricter answer to each question counts', () => {
    const lax = policy({ unknown: 'accept-new', caValid: 'accept', replicate: 'ask' }, 'allow');
    const bound = policy({ unknown: 'refuse', caValid: 'ask', replicate: 'accept' }, 'refuse');
    const { trust, fallback } = stricter(lax, bound);
    assert.deepEqual([trust.unknown, trust.caValid, trust.replicate], ['refuse', 'ask', 'ask']);
    assert.equal(fallback.cleartext, 'refuse');
    assert.deepEqual(stricter(bound, lax).fallback, { cleartext: 'refuse' });
    assert.deepEqual(stricter(policy({}, 'ask'), policy({}, 'warn')).fallback, { cleartext: 'ask' });
  });

  it('one without encryption loosens one with it', () => {
    const plain = { ...policy(), mode: 'plain' } as const;
    assert.equal(loosens(plain, policy()), true);
    assert.equal(loosens({ ...plain, mode: 'tunnel' }, policy()), true);
    assert.equal(loosens(plain, plain), false);
    assert.equal(loosens({ ...plain, mode: 'implicit' }, policy()), false);
  });
});
