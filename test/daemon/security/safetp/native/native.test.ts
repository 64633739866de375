// The platform's algorithms against known answers and against each other.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GROUP_PRIMES } from '../../../../../daemon/security/safetp/groups.js';
import { formatDsaSpki, parseDsaSpki } from '../../../../../daemon/security/safetp/native/der.js';
import {
  RunningSha1,
  equalBytes,
  hmacSha1,
  sha1,
} from '../../../../../daemon/security/safetp/native/digest.js';
import { dsaSignerOf } from '../../../../../daemon/security/safetp/native/dsa.js';
import { power } from '../../../../../daemon/security/safetp/native/power.js';
import { isPrime } from '../../../../../daemon/security/safetp/native/primality.js';
import { decryptCbc, encryptCbc } from '../../../../../daemon/security/safetp/native/triple-des.js';
import { serverKey } from '../fixture.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('digests', () => {
  it('give the known answers (FIPS 180, RFC 2202)', () => {
    assert.equal(
      sha1(Buffer.from('a'), Buffer.from('bc')).toString('hex'),
      'a9993e364706816aba3e25717850c26c9cd0d89d',
    );
    assert.equal(
      hmacSha1(Buffer.from('Jefe'), Buffer.from('what do ya want '), Buffer.from('for nothing?')).toString(
        'hex',
      ),
      'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    );
  });
  it('that run can be asked in between', () => {
    const running = new RunningSha1();
    running.update(Buffer.from('ab'));
    assert.deepEqual(running.digest(), sha1(Buffer.from('ab')));
    running.update(Buffer.from('c'));
    assert.deepEqual(running.digest(), sha1(Buffer.from('abc')));
  });
  it('compare unequal lengths without a fault', () => {
    assert.equal(equalBytes(hex('00'), hex('0000')), false);
    assert.equal(equalBytes(hex('0001'), hex('0001')), true);
  });
});

describe('Triple-DES', () => {
  it('is DES where the three keys are one (FIPS 81)', () => {
    const key = hex('0123456789abcdef'.repeat(3));
    assert.equal(
      encryptCbc(key, Buffer.alloc(8), Buffer.from('Now is t')).toString('hex'),
      '3fa40e8a984d4815',
    );
  });
  it('ignores the parity bits, pads nothing, and comes back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 24 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.array(fc.uint8Array({ minLength: 8, maxLength: 8 })),
        (key, iv, blocks) => {
          const plain = Buffer.concat(blocks);
          const encrypted = encryptCbc(key, iv, plain);
          assert.equal(encrypted.length, plain.length);
          const otherParity = key.map((byte) => byte ^ 1);
          assert.deepEqual(decryptCbc(otherParity, iv, encrypted), plain);
        },
      ),
    );
  });
});

describe('powers', () => {
  it('are the same by Diffie-Hellman and by BigInt, at the edges too', () => {
    const p = GROUP_PRIMES[2048];
    // The modulus 2p goes by BigInt and is the same modulo p.
    const reference = (base: bigint, exponent: bigint): bigint => power(base, exponent, 2n * p) % p;
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: p - 1n }),
        fc.bigInt({ min: 0n, max: 1n << 256n }),
        (base, exponent) => {
          assert.equal(power(base, exponent, p), reference(base, exponent));
        },
      ),
      { numRuns: 15 },
    );
    for (const base of [0n, 1n, 2n, p - 2n, p - 1n])
      for (const exponent of [0n, 1n, 2n, p - 2n])
        assert.equal(power(base, exponent, p), reference(base, exponent));
  });
});

describe('primes', () => {
  it('are told from composites, Carmichael numbers among them', () => {
    for (const prime of [2n, 3n, 65_537n, (1n << 89n) - 1n]) assert.ok(isPrime(prime));
    for (const other of [0n, 1n, 4n, 561n, 41_041n, (1n << 89n) + 1n, 3_215_031_751n])
      assert.ok(!isPrime(other));
  });
});

describe('DSA keys', () => {
  it('come back from their X.509 form', () => {
    const { numbers } = serverKey.branded.key;
    assert.deepEqual(parseDsaSpki(formatDsaSpki(numbers)), numbers);
  });
  it('of another kind, cut or no key at all are refused with a sentence', () => {
    const der = formatDsaSpki(serverKey.branded.key.numbers);
    for (let end = 0; end < der.length; end += 1)
      assert.throws(() => parseDsaSpki(der.subarray(0, end)), { name: 'Fault', code: 'key' });
    assert.throws(() => dsaSignerOf('-----BEGIN PRIVATE KEY-----'), { name: 'Fault', code: 'key' });
  });
});
