// A short soak, so that the long one (`npm run soak`) can't rot: the same code, a few seconds of everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from '../soak/soak.js';

const minutes = 0.4;

test('a short soak: clients among dying workers, proxies, servers and networks; every promise holds', async (t) => {
  const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000_000);
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const { signal } = new AbortController();
  const summary = await soak({ minutes, seed, clients: 4 }, { say, progressMs: 10_000, signal });
  t.diagnostic(`FTPSEAL_SEED=${seed}; ${lines.join(' / ')}`);
  assert.deepEqual(summary.broken, []);
  const done = Object.values(summary.work).reduce((sum, counts) => sum + counts.done, 0);
  assert.ok(done > 0, 'somebody has done something');
  assert.ok(
    Object.values(summary.troubles).some((count) => count > 0),
    'something has happened to them',
  );
  assert.ok(summary.wire.connections > 0);
});
