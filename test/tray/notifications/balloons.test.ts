import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Balloons, type Balloon } from '../../../tray/notifications/balloons.js';
import { question } from '../model/fixture.js';

let shown: Balloon[];
let balloons: Balloons;
beforeEach(() => {
  shown = [];
  balloons = new Balloons((balloon) => shown.push(balloon));
});

describe('balloons', () => {
  it('say of each question once that it is there', () => {
    const first = question('a', { waiting: 1 });
    balloons.show([first]);
    balloons.show([first]);
    assert.equal(shown.length, 1);
    assert.match(shown[0]?.text ?? '', /waits.*Nothing was sent to the server yet\.$/);
    balloons.show([first, question('b', { waiting: 1 }), question('c', { waiting: 1 })]);
    assert.match(shown[1]?.title ?? '', /2 more servers wait/);
    assert.equal(shown.length, 2);
  });

  it('say nothing of one for which nobody waits', () => {
    balloons.show([question('a', { waiting: 0 })]);
    assert.deepEqual(shown, []);
  });
});
