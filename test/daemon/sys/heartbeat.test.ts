import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heartbeat } from '../../../daemon/sys/heartbeat.js';

test('patience counts questions in a row without an answer, whatever time has passed', () => {
  const asked: number[] = [];
  const heartbeat = new Heartbeat({ patience: 2, ask: (number) => asked.push(number) });
  const beats = (count: number) => Array.from({ length: count }, () => heartbeat.beat());
  assert.deepEqual(beats(3), ['well', 'well', 'silent']);
  heartbeat.heard(1);
  assert.deepEqual(beats(2), ['well', 'silent'], 'one of two is still open');
  heartbeat.heard(99);
  assert.deepEqual(beats(1), ['silent'], 'nobody asked that');
  heartbeat.heard(3);
  heartbeat.heard(2);
  assert.deepEqual(beats(2), ['well', 'well']);
  assert.deepEqual(asked, [1, 2, 3, 4, 5]);
});
