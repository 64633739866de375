import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DivertedServer } from '../../../daemon/divert/diverter.js';
import { ServerRegistry } from '../../../daemon/proxy/server-registry.js';
import { parsePort, type IpAddress } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import { at } from '../trust/fixture.js';

const address = (n: number) => at(`192.0.2.${n}`).address;

function make(size = 10) {
  const applied: (readonly DivertedServer[])[] = [];
  const inUse = new Set<IpAddress>();
  const state = { now: 0, fail: false };
  const registry = new ServerRegistry({
    active: { first: parsePort(23300)!, last: parsePort(23300 + size - 1)! },
    apply: async (servers) => {
      await new Promise((resolve) => setImmediate(resolve));
      if (state.fail) throw new Fault('redirect', 'refused');
      applied.push(servers);
    },
    inUse: () => inUse,
    now: () => state.now,
  });
  return { registry, applied, inUse, state };
}

describe('the servers of the redirect layer', () => {
  it('are in force when reserve resolves, each with a port of its own', async () => {
    const { registry, applied } = make();
    assert.equal(await registry.reserve(address(1)), 23300);
    assert.equal(await registry.reserve(address(2)), 23301);
    assert.equal(await registry.reserve(address(1)), 23300);
    assert.deepEqual(
      applied.map((servers) => servers.map((server) => server.address)),
      [[address(1)], [address(1), address(2)]],
    );
  });

  it('that come at once share applications, and none resolves before it is in force', async () => {
    const { registry, applied } = make();
    await Promise.all(
      [1, 2, 3, 4, 5].map(async (n) => {
        await registry.reserve(address(n));
        assert.ok(applied.at(-1)?.some((server) => server.address === address(n)));
      }),
    );
    assert.ok(applied.length <= 2);
  });

  it('that the layer refuses are refused, and tried again at the next reserve', async () => {
    const { registry, applied, state } = make();
    state.fail = true;
    await assert.rejects(registry.reserve(address(1)), Fault);
    state.fail = false;
    await registry.reserve(address(1));
    assert.equal(applied.length, 1);
  });

  it('are kept while in use and for minutes after, then forgotten', async () => {
    const { registry, applied, inUse, state } = make();
    await registry.reserve(address(1));
    inUse.add(address(1));
    state.now = 3_600_000;
    await registry.sweep();
    inUse.clear();
    state.now += 299_000;
    await registry.sweep();
    assert.equal(applied.length, 1);
    state.now += 2_000;
    await registry.sweep();
    assert.deepEqual(applied.at(-1), []);
    await registry.reserve(address(1));
    assert.equal(applied.at(-1)?.length, 1);
  });

  it('make room by forgetting the longest unused, and refuse when all are in use', async () => {
    const { registry, applied, inUse, state } = make(2);
    for (const n of [1, 2, 3]) {
      state.now = n;
      await registry.reserve(address(n));
    }
    const last = applied.at(-1)!;
    assert.deepEqual(new Set(last.map((server) => server.address)), new Set([address(2), address(3)]));
    assert.equal(new Set(last.map((server) => server.activePort)).size, 2);
    inUse.add(address(2)).add(address(3));
    await assert.rejects(registry.reserve(address(4)), /too many servers/);
  });
});
