// The statistics of the benchmark, on values that can be checked by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, medianInterval, quantile, range } from './statistics.js';

test('the median is the middle value, or the mean of the middle two, in any order', () => {
  assert.equal(median([9, 1, 5]), 5);
  assert.equal(median([4, 1, 10, 2]), 3);
  assert.equal(median([7]), 7);
  assert.throws(() => median([]), /no values/);
});

test('quantiles interpolate between neighbours', () => {
  const values = [40, 10, 30, 20];
  assert.equal(quantile(values, 0), 10);
  assert.equal(quantile(values, 1), 40);
  assert.equal(quantile(values, 0.25), 17.5);
  assert.deepEqual(values, [40, 10, 30, 20], 'the caller keeps its order');
});

test('the interval of the median lies inside the values, holds the median and repeats', () => {
  const values = Array.from({ length: 50 }, (_, index) => 100 + ((index * 37) % 50));
  const interval = medianInterval(values);
  assert.deepEqual(interval, medianInterval(values));
  assert.ok(interval.low < median(values) && median(values) < interval.high);
  assert.ok(range(values).low < interval.low && interval.high < range(values).high);
});

test('the interval of equal values is that value', () => {
  assert.deepEqual(medianInterval([2, 2, 2, 2]), { low: 2, high: 2 });
});
