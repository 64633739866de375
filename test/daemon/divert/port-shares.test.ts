// How the configured ranges are split.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listenRanges, portShares } from '../../../daemon/divert/port-shares.js';
import { portCount } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import { range } from './plan-fixture.js';
import type { PortRange } from '../../../shared/endpoint.js';

const defaults = {
  dataPorts: range('21210-23209'),
  sourcePorts: range('61000-64999'),
  activePorts: range('23300-24299'),
};

function disjoint(ranges: readonly PortRange[]): boolean {
  const sorted = [...ranges].sort((a, b) => a.first - b.first);
  return sorted.every((entry, index) => index === 0 || (sorted[index - 1]?.last ?? 0) < entry.first);
}

test('two workers share the defaults', () => {
  assert.deepEqual(portShares(defaults, 2), [
    { listen: range('31100-31115'), virtual: range('21210-22209'), sourcePorts: range('61000-62999') },
    { listen: range('31116-31131'), virtual: range('22210-23209'), sourcePorts: range('63000-64999') },
  ]);
});

test('any number of workers gets disjoint shares that use the whole range', () => {
  for (const workers of [1, 3, 7, 64]) {
    const shares = portShares(defaults, workers);
    assert.equal(shares.length, workers);
    for (const key of ['listen', 'virtual', 'sourcePorts'] as const) {
      assert.ok(disjoint(shares.map((share) => share[key])), `${key} of ${workers}`);
    }
    const all = shares.reduce((sum, share) => sum + portCount(share.virtual), 0);
    assert.equal(all, portCount(defaults.dataPorts));
  }
});

test('listeners keep out of the configured ranges', () => {
  const [share] = portShares({ ...defaults, dataPorts: range('30000-40000') }, 1);
  assert.deepEqual(share?.listen, range('28100-28115'));
});

test('other places for the listeners come behind the usual ones, if nothing of the configuration is there', () => {
  const places = listenRanges(defaults, 2, [12_000, 21_200, 23_000]);
  assert.deepEqual(
    places.map(({ first }) => first),
    [31_100, 28_100, 25_100, 20_100, 10_100, 12_000],
  );
  const [first, second] = portShares(defaults, 2, places.at(-1));
  assert.deepEqual([first?.listen, second?.listen], [range('12000-12015'), range('12016-12031')]);
});

test('ranges without room are a fault of the configuration', () => {
  assert.throws(() => portShares({ ...defaults, dataPorts: range('21210-21211') }, 3), Fault);
  assert.throws(() => portShares({ ...defaults, dataPorts: range('1024-60000') }, 3), Fault);
});
