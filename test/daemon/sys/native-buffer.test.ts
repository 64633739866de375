import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NativeBuffer } from '../../../daemon/sys/native-buffer.js';

test('every address lies inside, up to the last byte and not beyond', () => {
  const buffer = new NativeBuffer(100);
  const start = buffer.address(0, 100);
  assert.equal(buffer.address(100, 0), start + 100);
  assert.equal(buffer.address(99, 1), start + 99);
  const outside: readonly (readonly [number, number])[] = [
    [0, 101],
    [1, 100],
    [100, 1],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [NaN, 1],
    [0, NaN],
    [Infinity, 0],
  ];
  for (const [at, length] of outside) {
    assert.throws(() => buffer.address(at, length), RangeError, `${length} at ${at}`);
    assert.throws(() => buffer.view(at, length), RangeError);
  }
});

test('a view shows what is at its address', () => {
  const buffer = new NativeBuffer(16);
  buffer.view(4, 3).set([1, 2, 3]);
  assert.deepEqual([...buffer.view(3, 5).subarray(1, 4)], [1, 2, 3]);
});
