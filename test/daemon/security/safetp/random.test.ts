import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nonZeroBytes, randomUpTo } from '../../../../daemon/security/safetp/random.js';
import { systemRandom, watchedRandom } from '../../../../daemon/security/safetp/native/random.js';

describe('drawing', () => {
  it('a number reaches every value of its range and no other', () => {
    const seen = new Set<bigint>();
    for (let i = 0; i < 2000; i += 1) seen.add(randomUpTo(10n, systemRandom));
    assert.deepEqual(
      [...seen].sort((a, b) => Number(a - b)),
      [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n],
    );
  });
  it('filler holds no zero byte', () => {
    const mostlyZero = (size: number): Buffer =>
      systemRandom(size).map((byte) => (byte < 200 ? 0 : byte)) as Buffer;
    const filler = nonZeroBytes(205, mostlyZero);
    assert.equal(filler.length, 205);
    assert.ok(!filler.includes(0));
  });
  it('stops at a source that repeats itself', () => {
    const stuck = watchedRandom((size) => Buffer.alloc(size, 7));
    stuck(32);
    assert.throws(() => stuck(32), { name: 'Fault', code: 'internal' });
  });
});
