import assert from 'node:assert/strict';
import { checkPrimeSync, getDiffieHellman } from 'node:crypto';
import { describe, it } from 'node:test';
import { GROUP_PRIMES } from '../../../../daemon/security/safetp/groups.js';
import { bitLength } from '../../../../daemon/security/safetp/numbers.js';

describe('the groups', () => {
  it('are those of the RFCs as the platform has them, and safe primes', () => {
    const names = { 768: 'modp1', 1024: 'modp2', 2048: 'modp14' } as const;
    for (const bits of [768, 1024, 2048] as const) {
      const p = GROUP_PRIMES[bits];
      assert.equal(p.toString(16), getDiffieHellman(names[bits]).getPrime('hex'));
      assert.equal(bitLength(p), bits);
      assert.ok(checkPrimeSync(p) && checkPrimeSync((p - 1n) / 2n));
    }
  });
});
