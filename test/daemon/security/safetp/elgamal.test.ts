import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decryptElGamal,
  encodeElGamal,
  encryptElGamal,
  generateElGamal,
  readElGamal,
  type ElGamalPublicKey,
  type GroupPolicy,
} from '../../../../daemon/security/safetp/elgamal.js';
import { GROUP_PRIMES } from '../../../../daemon/security/safetp/groups.js';
import { jacobi } from '../../../../daemon/security/safetp/numbers.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';

const malformed = { name: 'Fault', code: 'protocol' };
const ANY: GroupPolicy = { minBits: 768, otherPrimes: 'refuse' };
const TESTING: GroupPolicy = { minBits: 768, otherPrimes: 'test' };
const p768 = GROUP_PRIMES[768];

function read(key: ElGamalPublicKey, policy = ANY): ElGamalPublicKey {
  return readElGamal(encodeElGamal(key), policy);
}

describe('ElGamal', () => {
  it('decrypts what was encrypted, in every group', () => {
    for (const bits of [768, 1024, 2048] as const) {
      const pair = generateElGamal(bits, systemRandom);
      assert.deepEqual(read(pair.publicKey), pair.publicKey);
      for (const message of [1n, 2n, pair.publicKey.p - 1n, 1n << BigInt(bits - 9)])
        assert.equal(decryptElGamal(pair, encryptElGamal(pair.publicKey, message, systemRandom)), message);
    }
  });
  it('never makes the same key or ciphertext twice', () => {
    const pairs = [generateElGamal(768, systemRandom), generateElGamal(768, systemRandom)];
    assert.notEqual(pairs[0]!.x, pairs[1]!.x);
    const one = encryptElGamal(pairs[0]!.publicKey, 5n, systemRandom);
    assert.notEqual(one.c1, encryptElGamal(pairs[0]!.publicKey, 5n, systemRandom).c1);
  });
  it('refuses a key below the minimum', () => {
    const { publicKey } = generateElGamal(768, systemRandom);
    assert.throws(() => read(publicKey, { minBits: 1024, otherPrimes: 'refuse' }), malformed);
  });
  it('refuses a generator of 1 and a y of 0, 1, p-1 or outside the subgroup', () => {
    const { p, g, y } = generateElGamal(1024, systemRandom).publicKey;
    let outside = 3n;
    while (jacobi(outside, p) !== -1) outside += 1n;
    for (const element of [0n, 1n, p - 1n, p, p + 2n, outside]) {
      assert.throws(() => read({ p, g: element, y }), malformed, `g ${element}`);
      assert.throws(() => read({ p, g, y: element }), malformed, `y ${element}`);
    }
  });
  it('refuses a composite p and one that is not 3 mod 4, and a prime that is no safe prime', () => {
    for (const p of [p768 - 2n, p768 - 4n, p768 + 2n])
      for (const policy of [ANY, TESTING]) assert.throws(() => read({ p, g: 4n, y: 16n }, policy), malformed);
  });
  it('takes another safe prime only where policy says so', { timeout: 120_000 }, () => {
    const p = otherSafePrime();
    const key = { p, g: 4n, y: 16n };
    assert.deepEqual(read(key, TESTING), key);
    assert.throws(() => read(key), malformed);
  });
  it('refuses c1 and c2 that are no elements', () => {
    const pair = generateElGamal(768, systemRandom);
    const { p } = pair.publicKey;
    for (const bad of [0n, p, p + 1n]) {
      assert.throws(() => decryptElGamal(pair, { c1: bad, c2: 1n }), malformed);
      assert.throws(() => decryptElGamal(pair, { c1: 1n, c2: bad }), malformed);
    }
    assert.equal(decryptElGamal(pair, { c1: 1n, c2: 7n }), 7n);
  });
});

function otherSafePrime(): bigint {
  // Found once with `openssl prime -generate -safe -bits 768`; the policy `test` proves again that it is one.
  return BigInt(
    '0x' +
      'd5c81a8af637d9a4db6fcf34a0dc5eaad0d675d93b06f7fbc3b07c3b9035b5292ece149035a746aaf838ec631afe0370' +
      'da88b89277414d4dd6cc4cc7ad263311e8403782a39b2e70ec9930f874614aa8dc69beac50d4b26ef00247696d19a18f',
  );
}
