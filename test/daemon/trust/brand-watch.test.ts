import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BrandWatch } from '../../../daemon/trust/brand-watch.js';
import type { ServerIdentity } from '../../../shared/trust.js';

function identity(fingerprint: string, brand?: string): ServerIdentity {
  const given = brand === undefined ? {} : { brand };
  return { mechanism: 'X-SafeTP1', fingerprint, protocol: 'x', cipher: 'x', ...given };
}

it('tells a changed brand once, for each key by itself, and of a bounded number of keys', () => {
  const watch = new BrandWatch();
  const seen = [identity('a', 'one'), identity('b', 'two'), identity('a', 'one'), identity('a', 'new')];
  assert.deepEqual(
    [...seen, identity('a', 'new'), identity('a')].map((one) => watch.hasChanged(one)),
    [false, false, false, true, false, false],
  );
  for (let n = 0; n < 1000; n += 1) watch.hasChanged(identity(`key ${n}`, 'x'));
  assert.equal(watch.hasChanged(identity('b', 'other')), false, 'forgotten');
});
