// When memory goes back: with short times and a heap that the test makes up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { QuietTimes } from '../../../daemon/sys/quiet-times.js';

const MIB = 1024 * 1024;

class World {
  heap = 20 * MIB;
  given = 0;
  readonly quiet: QuietTimes;
  #heard: () => void = () => undefined;

  constructor(afterStartMs: number) {
    this.quiet = new QuietTimes({
      afterStartMs,
      afterWorkMs: 5,
      heapBytes: () => this.heap,
      returnMemory: () => {
        this.given += 1;
        this.heap = 10 * MIB;
        this.#heard();
      },
    });
  }

  /** Its own timers keep no process alive, so this does. */
  async next(): Promise<void> {
    const tooLate = new AbortController();
    await Promise.race([
      new Promise<void>((resolve) => {
        this.#heard = resolve;
      }),
      delay(20_000, undefined, { signal: tooLate.signal }).then(() => assert.fail('nothing came')),
    ]);
    tooLate.abort();
  }
}

test('memory goes back after the start, and after work that has made the heap grow', async () => {
  const world = new World(1);
  await world.next();
  world.heap += 3 * MIB;
  world.quiet.work();
  await delay(50);
  world.heap += MIB;
  world.quiet.work();
  world.quiet.work();
  await world.next();
  assert.equal(world.given, 2);
});

test('work that comes at once puts off what the start would do', async () => {
  const world = new World(1);
  world.quiet.work();
  await world.next();
  await delay(50);
  assert.equal(world.given, 1);
});
