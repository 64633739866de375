// Where a worker listens: on ports that follow each other where there is room, else on what there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closed, listenOnRun, type Listening } from '../../../daemon/pool/listeners.js';
import { address, port, range } from '../divert/plan-fixture.js';

const loopback = [address('127.0.0.1')];
/** Where no other test listens. */
const place = range('20110-20125');

async function portsOf(listening: Listening): Promise<readonly number[]> {
  await Promise.all(listening.servers.map(closed));
  return listening.endpoints.map((endpoint) => endpoint.port);
}

async function portsWithout(taken: readonly number[]): Promise<readonly number[]> {
  const held: Listening[] = [];
  for (const one of taken) held.push(await listenOnRun(loopback, range(`${one}-${one}`), undefined, 1));
  try {
    return await portsOf(await listenOnRun(loopback, place, port(20110), 8));
  } finally {
    await Promise.all(held.flatMap(({ servers }) => servers.map(closed)));
  }
}

test('eight ports in a row, behind the one that is skipped', async () => {
  assert.deepEqual(await portsWithout([]), [20111, 20112, 20113, 20114, 20115, 20116, 20117, 20118]);
});

test('a port of another program is gone round', async () => {
  assert.deepEqual(await portsWithout([20112]), [20113, 20114, 20115, 20116, 20117, 20118, 20119, 20120]);
});

test('fewer where there is no room for eight, one at the worst', async () => {
  assert.deepEqual(await portsWithout([20115, 20122]), [20111, 20112, 20113, 20114]);
  const even = Array.from({ length: 7 }, (_, index) => 20112 + 2 * index);
  assert.deepEqual(await portsWithout(even), [20111]);
  const most = Array.from({ length: 14 }, (_, index) => 20111 + index);
  assert.deepEqual(await portsWithout(most), [20125]);
});

test('no room at all is said', async () => {
  const all = Array.from({ length: 15 }, (_, index) => 20111 + index);
  await assert.rejects(portsWithout(all), /no free port between 20110 and 20125/);
});
