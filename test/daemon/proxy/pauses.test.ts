import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pauseObstacle, Pauses } from '../../../daemon/proxy/pauses.js';
import type { Clock } from '../../../daemon/sys/steady-clock.js';
import { Fault } from '../../../shared/fault.js';

const clock = (now: () => number): Clock => ({ now, shown: (moment) => moment });

describe('pauses', () => {
  it('end by themselves, by their owner, and concern nobody else', () => {
    let now = 1000;
    const pauses = new Pauses({ clock: clock(() => now), obstacle: undefined });
    assert.equal(pauses.start(7, 500), 1500);
    assert.equal(pauses.untilOf(7), 1500);
    assert.equal(pauses.untilOf(8), undefined);
    assert.equal(pauses.untilOf(undefined), undefined, 'a connection of an unknown user');
    now = 1500;
    assert.equal(pauses.untilOf(7), undefined);
    pauses.start(7, 500);
    pauses.end(8);
    assert.equal(pauses.untilOf(7), 2000);
    pauses.end(7);
    assert.equal(pauses.untilOf(7), undefined);
  });

  it('are not for where the administrator has locked them, and say so', () => {
    const obstacle = pauseObstacle('redirect', 'warn', false);
    assert.match(obstacle?.userMessage ?? '', /administrator has locked/);
    assert.throws(() => new Pauses({ clock: clock(() => 0), obstacle }).start(0, 1), {
      code: 'not-permitted',
    });
  });

  it('a second one takes the place of the first', () => {
    const pauses = new Pauses({ clock: clock(() => 0), obstacle: undefined });
    pauses.start(7, 900);
    assert.equal(pauses.start(7, 100), 100);
    assert.equal(pauses.untilOf(7), 100);
  });

  it('are not for where cleartext is refused, nor for the explicit proxy', () => {
    assert.equal(pauseObstacle('redirect', 'warn', true), undefined);
    assert.equal(pauseObstacle('explicit', 'warn', true)?.code, 'usage');
    const obstacle = pauseObstacle('redirect', 'refuse', true);
    const pauses = new Pauses({ clock: clock(() => 0), obstacle });
    assert.throws(
      () => pauses.start(7, 1),
      (error) => error instanceof Fault && error.code === 'not-permitted',
    );
    assert.equal(pauses.untilOf(7), undefined);
  });
});
