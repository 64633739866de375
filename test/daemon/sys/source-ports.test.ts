// The allocator of upstream source ports.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourcePorts } from '../../../daemon/sys/source-ports.js';
import { range } from '../divert/plan-fixture.js';

test('every port of the share once, then from the beginning', () => {
  const ports = sourcePorts(range('61000-61002'), 0.5);
  assert.deepEqual(
    Array.from({ length: 7 }, () => ports.next()),
    [61001, 61002, 61000, 61001, 61002, 61000, 61001],
  );
});

test('a share of one port, and starts at both ends', () => {
  assert.equal(sourcePorts(range('61000-61000'), 0.999).next(), 61000);
  assert.equal(sourcePorts(range('61000-61009'), 0).next(), 61000);
  assert.equal(sourcePorts(range('61000-61009'), 0.9999).next(), 61009);
});
