// What one caller of the daemon's socket can make it hold: events that nobody reads, requests that nobody finishes, connections.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DaemonClient } from '../../../daemon/ipc/client.js';
import { MAX_IPC_MESSAGE } from '../../../shared/ipc-messages.js';
import { connection, key, keyQuestion, policy } from '../trust/fixture.js';
import { callAs, skipUnlessRoot } from './raw-caller.js';
import { makeWorld, sessionState, type TestWorld } from './world.js';

let world: TestWorld;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(async () => {
  await world.close();
});

async function open(): Promise<Socket> {
  const socket = connect(world.path);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function frame(method: string): string {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} });
  return `Content-Length: ${body.length}\r\n\r\n${body}`;
}

function closed(socket: Socket): Promise<void> {
  return new Promise<void>((resolve) =>
    socket.resume().once('close', () => {
      resolve();
    }),
  );
}

/** What still arrives until the end. */
async function drained(socket: Socket): Promise<number> {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await closed(socket);
  return bytes;
}

describe('one caller', () => {
  it(
    'that watches and does not read is cut, and little waits for it until then',
    { timeout: 60_000 },
    async () => {
      const socket = await open();
      socket.pause();
      socket.write(frame('sessions.watch'));
      await (await DaemonClient.connect(world.folder)).request('status', {});
      let sent = 0;
      for (let index = 0; sent < 32 * 1024 * 1024; index++) {
        const state = sessionState(`s${index % 50}`, 1000, { bytesUp: index });
        sent += JSON.stringify(state).length;
        world.sessions.put(0, state);
        if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok((await drained(socket)) < 8 * 1024 * 1024);
    },
  );

  it('that asks for events many times gets each once', async () => {
    const client = await DaemonClient.connect(world.folder);
    const seen: string[] = [];
    client.on('sessions.event', (event) => seen.push(event.kind));
    client.on('prompts.event', (event) => seen.push(event.kind));
    for (let time = 0; time < 3; time++) {
      await client.request('sessions.watch', {});
      await client.request('prompts.watch', {});
    }
    world.sessions.put(0, sessionState('a', 1000));
    void world.trust.judge('s', connection(), policy(), keyQuestion(key('a')));
    while (world.broker.list().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await client.request('status', {});
    assert.deepEqual(seen.filter((kind) => kind !== 'all').sort(), ['changed', 'opened']);
    client.close();
  });

  it(
    'gets room for two of the largest requests over all its connections, and again when they have gone',
    { timeout: 60_000 },
    async () => {
      const large = `Content-Length: ${MAX_IPC_MESSAGE}\r\n\r\n`;
      const sockets = [await open(), await open(), await open()];
      const ends = sockets.map(closed);
      for (const socket of sockets) socket.write(large);
      await Promise.race(ends);
      assert.equal(sockets.filter((socket) => socket.destroyed).length, 1);
      for (const socket of sockets) socket.destroy();
      await Promise.all(ends);
      // The daemon may notice the ends a moment later.
      while ((await callAs(process.geteuid?.() ?? 0, world.path, [{ method: 'status' }])).length === 0);
    },
  );
});

describe('many users', skipUnlessRoot, () => {
  it('take all places but those of root', async () => {
    // Prints how many of 24 connections were answered, and keeps them.
    const hold =
      `const body = '{"jsonrpc":"2.0","id":1,"method":"status","params":{}}'; let left = 24, open = 0;` +
      `const done = () => { if (--left === 0) console.log(open); };` +
      `for (let i = 0; i < 24; i++) { const s = require('node:net').connect(process.argv[1]);` +
      `let heard = false; s.on('error', () => 0).on('close', () => { if (!heard) done(); });` +
      `s.once('data', () => { heard = true; open++; done(); });` +
      `s.write('Content-Length: ' + body.length + '\\r\\n\\r\\n' + body); } setInterval(() => 0, 1000);`;
    const crowd: ChildProcess[] = [];
    try {
      let held = 0;
      for (let uid = 40_001; uid <= 40_006; uid++) {
        const as = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
        const one = spawn('setpriv', [...as, process.execPath, '-e', hold, world.path], { cwd: '/' });
        crowd.push(one);
        const [count] = (await once(one.stdout, 'data')) as [Buffer];
        held += Number(count.toString());
      }
      assert.equal(held, 120);
      assert.deepEqual(await callAs(40_007, world.path, [{ method: 'status' }]), []);
      const root = await DaemonClient.connect(world.folder);
      await root.request('status', {});
      root.close();
    } finally {
      for (const one of crowd) {
        one.kill();
        await once(one, 'close');
      }
    }
    assert.equal((await callAs(40_007, world.path, [{ method: 'status' }])).length, 1);
  });
});
