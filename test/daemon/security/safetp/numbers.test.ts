import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  bitLength,
  bytesOf,
  jacobi,
  numberOf,
  paddedBytesOf,
} from '../../../../daemon/security/safetp/numbers.js';

describe('numbers as bytes', () => {
  it('come back as they went, in the shortest form and in a fixed one', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 1n << 512n }), (value) => {
        assert.equal(numberOf(bytesOf(value)), value);
        assert.notEqual(bytesOf(value)[0], 0);
        assert.equal(paddedBytesOf(value, 65).length, 65);
        assert.equal(numberOf(paddedBytesOf(value, 65)), value);
        assert.equal(bitLength(value), value === 0n ? 0 : value.toString(2).length);
      }),
    );
  });
  it('that do not fit are a bug of the caller', () => {
    assert.throws(() => paddedBytesOf(256n, 1), RangeError);
  });
});

describe('the Jacobi symbol', () => {
  it('is Euler’s criterion for a prime', () => {
    const prime = 1_000_003n;
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: prime * 3n }), (value) => {
        let power = 1n;
        for (const bit of ((prime - 1n) / 2n).toString(2)) {
          power = (power * power) % prime;
          if (bit === '1') power = (power * value) % prime;
        }
        assert.equal(jacobi(value, prime), power === prime - 1n ? -1 : Number(power));
      }),
    );
  });
  it('multiplies over a composite modulus', () => {
    for (let a = 0n; a < 45n; a += 1n) assert.equal(jacobi(a, 45n), jacobi(a, 9n) * jacobi(a, 5n) + 0);
  });
});
