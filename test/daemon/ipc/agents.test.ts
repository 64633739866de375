import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Channel } from '../../../daemon/ipc/channel.js';
import { DaemonClient } from '../../../daemon/ipc/client.js';
import { IpcServer } from '../../../daemon/ipc/server.js';
import { socketPath } from '../../../daemon/ipc/socket-path.js';
import { Fault } from '../../../shared/fault.js';
import { pin } from '../trust/fixture.js';
import { callAs, skipUnlessRoot } from './raw-caller.js';
import { makeWorld } from './world.js';

let folder: string;
let server: IpcServer;
let client: DaemonClient;
/** The daemon's end of the client's connection. */
let channel: Channel;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-agents-'));
  server = await IpcServer.listen(socketPath(folder), (_method, _params, from) => {
    channel = from;
    return Promise.resolve({ keys: 'keychain' });
  });
  client = await DaemonClient.connect(folder);
  await client.request('agent.register', { vault: 'ready' });
});
afterEach(async () => {
  client.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const isFault = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === code && words.test(error.userMessage);

describe('a request of the daemon to an agent', () => {
  it('has its params and its result checked on both sides', async () => {
    client.handle('vault.read', ({ from }) =>
      Promise.resolve({ records: [from, { any: 'thing' }], next: 2 }),
    );
    assert.deepEqual(await channel.request('vault.read', { from: 1 }), {
      records: [1, { any: 'thing' }],
      next: 2,
    });
    await assert.rejects(channel.request('vault.read', { from: -1 }), isFault('store', /Wrong parameters/));
    client.handle('vault.read', () => Promise.resolve({ records: Array.from({ length: 201 }, () => 0) }));
    await assert.rejects(channel.request('vault.read', { from: 0 }), isFault('protocol', /unknown form/));
  });

  it('brings a fault’s sentence, and a fault of its own where nobody handles it or nobody is there', async () => {
    client.handle('vault.write', () => Promise.reject(new Fault('store', 'It is locked.')));
    const change = { put: [{ kind: 'pin', record: pin() } as const], remove: [] };
    await assert.rejects(channel.request('vault.write', change), isFault('store', /^It is locked\.$/));
    await assert.rejects(channel.request('vault.read', { from: 0 }), isFault('store', /./));
    client.handle('vault.read', () => new Promise(() => undefined));
    const hanging = channel.request('vault.read', { from: 0 });
    client.close();
    await assert.rejects(hanging, isFault('store', /gone/));
    await assert.rejects(channel.request('vault.read', { from: 0 }), isFault('store', /gone/));
  });

  it('costs nothing of what the agent itself may ask', async () => {
    client.handle('vault.read', () => Promise.resolve({ records: [] }));
    for (let count = 0; count < 200; count++) await channel.request('vault.read', { from: 0 });
    await client.request('agent.register', { vault: 'ready' });
  });
});

describe('registering', () => {
  it('is for people, not for root, and ends with the connection', skipUnlessRoot, async () => {
    const world = await makeWorld();
    try {
      const uid = 12345;
      const [asUser] = await callAs(uid, world.path, [
        { method: 'agent.register', params: { vault: 'ready' } },
      ]);
      assert.deepEqual(asUser?.result, { keys: 'file' });
      while (world.agents.vaultOf(uid) !== undefined) await new Promise((resolve) => setImmediate(resolve));
      const [asRoot, wrong] = await callAs(0, world.path, [
        { method: 'agent.register', params: { vault: 'ready' } },
        { method: 'agent.register', params: { vault: 'open', uid: 0 } },
      ]);
      assert.equal(asRoot?.error?.data?.code, 'not-permitted');
      assert.equal(wrong?.error?.data?.code, 'protocol');
      assert.equal(world.agents.ready(0), undefined);
    } finally {
      await world.close();
    }
  });
});
