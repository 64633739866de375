// A real worker thread of the explicit proxy, told to stop while a client is there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { parseConfig } from '../../../daemon/config-load.js';
import { newDescriptorTable } from '../../../daemon/sys/watched-descriptors.js';
import type { FromWorker, ToWorker } from '../../../daemon/pool/messages.js';

const entry = new URL('../../../daemon/pool/worker.js', import.meta.url);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The thread, and a client that has had its greeting; `stop` resolves with the thread's exit code. */
async function serving() {
  const control = [{ address: '127.0.0.1', port: await freePort() }];
  const config = parseConfig('', 'test');
  const data = {
    index: 0,
    workers: 1,
    mode: 'explicit',
    config,
    listen: { kind: 'endpoints', control },
  };
  const workerData = { data, descriptors: newDescriptorTable() };
  const worker = new Worker(entry, { workerData });
  const heard: FromWorker[] = [];
  worker.on('message', (message: FromWorker) => heard.push(message));
  await once(worker, 'message');
  const client = connect(control[0]!.port, '127.0.0.1');
  await once(client, 'data');
  const stop = async (): Promise<unknown> => {
    const exit = once(worker, 'exit');
    const message: ToWorker = { kind: 'stop', graceMs: 0 };
    worker.postMessage(message);
    return (await exit)[0];
  };
  return { worker, client, heard, stop };
}

async function answerBegin(worker: Worker, before: () => Promise<unknown> = () => Promise.resolve()) {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [FromWorker];
    if (message.kind !== 'request') continue;
    await before();
    const answer = { kind: 'begun', knownSecure: false, strongOnly: false, paused: false } as const;
    const reply: ToWorker = { kind: 'answer', id: message.id, answer };
    worker.postMessage(reply);
    return;
  }
}

test('a thread that stops cuts an open session off, reports its end and ends', async () => {
  const upstream = createServer((socket) =>
    socket.on('error', () => undefined).write('220 server\r\n'),
  ).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { worker, client, heard, stop } = await serving();
  const begun = answerBegin(worker);
  client.write(`USER a@127.0.0.1:${(upstream.address() as AddressInfo).port}\r\n`);
  await begun;
  while (!heard.some(({ kind }) => kind === 'session')) await once(worker, 'message');
  const cut = once(client, 'error');
  assert.equal(await stop(), 0);
  assert.match(String(await cut), /ECONNRESET/);
  assert.ok(heard.some(({ kind }) => kind === 'ended'));
  upstream.close();
});

test('a client that hangs up before the main thread has answered leaves no session behind', async () => {
  const upstream = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { worker, client, heard, stop } = await serving();
  const begun = answerBegin(worker, async () => {
    client.resetAndDestroy();
    await once(client, 'close');
  });
  client.write(`USER a@127.0.0.1:${(upstream.address() as AddressInfo).port}\r\n`);
  await begun;
  while (!heard.some(({ kind }) => kind === 'ended')) await once(worker, 'message');
  assert.equal(await stop(), 0);
  upstream.close();
});

test('a client that takes nothing does not hold the thread', { timeout: 10_000 }, async () => {
  const { client, stop } = await serving();
  client.pause();
  assert.equal(await stop(), 0);
  client.destroy();
});
