// What both kinds of session drivers share: events one at a time, timers by name, and the watch for a standstill.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NamedTimers } from '../../../daemon/relay/named-timers.js';
import { StallWatch } from '../../../daemon/relay/stall-watch.js';
import { StepQueue } from '../../../daemon/relay/step-queue.js';

it('an event that an effect brings waits until all effects of the one before were carried out', () => {
  const order: string[] = [];
  const outcomes: boolean[] = [];
  const queue = new StepQueue<string>((event): void => {
    order.push(`${event} begins`);
    if (event === 'first') outcomes.push(queue.push('second'));
    if (event === 'breaks') throw new Error('a bug');
    order.push(`${event} ends`);
  });
  outcomes.push(queue.push('first'));
  assert.deepEqual(order, ['first begins', 'first ends', 'second begins', 'second ends']);
  assert.deepEqual(outcomes, [false, true]);
  assert.throws(() => queue.push('breaks'));
  assert.equal(queue.push('third'), true, 'a bug in one step does not stop the next');
});

it('a timer set again runs anew, and a cleared one does not fire', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const fired: string[] = [];
  const timers = new NamedTimers<'one' | 'two'>((name) => fired.push(name));
  timers.set('one', 100);
  timers.set('two', 100);
  t.mock.timers.tick(90);
  timers.set('one', 100);
  timers.clear('two');
  t.mock.timers.tick(90);
  assert.deepEqual(fired, []);
  t.mock.timers.tick(10);
  assert.deepEqual(fired, ['one']);
  timers.set('two', 10);
  timers.clearAll();
  t.mock.timers.tick(100);
  assert.deepEqual(fired, ['one']);
});

it('a standstill is told after half a minute without a byte, not while something moves', (t) => {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const seen = { moved: 0, stalled: 0 };
  const watch = new StallWatch();
  const start = (): void => {
    watch.start(
      () => String(seen.moved),
      () => (seen.stalled += 1),
    );
  };
  start();
  for (let second = 0; second < 60; second += 2.5) {
    seen.moved += 1;
    t.mock.timers.tick(2_500);
  }
  assert.equal(seen.stalled, 0);
  start();
  t.mock.timers.tick(27_500);
  assert.equal(seen.stalled, 0, 'a second start changes nothing');
  t.mock.timers.tick(5_000);
  const stalled: number = seen.stalled;
  assert.notEqual(stalled, 0);
  watch.stop();
  t.mock.timers.tick(60_000);
  assert.equal(seen.stalled, stalled);
});
