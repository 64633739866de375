import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slopePerMinute } from './slope.js';

const series = (...values: readonly number[]) =>
  values.map((value, index) => ({ at: 1_000_000 + index * 30_000, value }));

test('a line has its own slope, whatever the offset', () => {
  assert.equal(slopePerMinute(series(5, 6, 7, 8)), 2);
  assert.equal(slopePerMinute(series(7, 7, 7, 7)), 0);
});

test('noise around a level weighs little, a trend under noise shows', () => {
  assert.ok(Math.abs(slopePerMinute(series(10, 12, 10, 12, 10, 12, 10)) ?? 9) < 0.3);
  assert.ok((slopePerMinute(series(10, 14, 13, 17, 16, 20, 19)) ?? 0) > 2);
});

test('too little to say anything', () => {
  assert.equal(slopePerMinute(series(1, 2)), undefined);
  assert.equal(slopePerMinute([1, 2, 3].map((value) => ({ at: 5, value }))), undefined);
});
