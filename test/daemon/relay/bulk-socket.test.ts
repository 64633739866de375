import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { bulkSocketOn, receive } from '../../../daemon/relay/bulk-socket.js';
import { duplicateDescriptor } from '../../../daemon/sys/libc.js';
import { socketDescriptor } from '../../../daemon/sys/socket-descriptor.js';
import { dial, listen, payload } from './socket-fixture.js';

const file = payload(4 * 1024 * 1024, 3);

function serveFile(): ReturnType<typeof listen> {
  return listen(net.createServer((socket) => socket.end(file)));
}

type Kind = 'bulk' | 'ordinary' | 'descriptor';

/** Connected and paused; `descriptor` as from a parent that handed it over. */
async function open(port: number, kind: Kind): Promise<net.Socket> {
  if (kind !== 'descriptor') return dial(port, kind);
  // Paused before it connects, or it would read the first bytes away.
  const first = net.connect({
    port,
    host: '127.0.0.1',
    onread: { buffer: Buffer.alloc(1), callback: () => false },
  });
  first.pause();
  await once(first, 'connect');
  const socket = bulkSocketOn(duplicateDescriptor(socketDescriptor(first) ?? -1), { writable: true });
  first.destroy();
  return socket;
}

for (const kind of ['bulk', 'ordinary', 'descriptor'] as const) {
  test(`${kind}: kept bytes stay as they were although the buffer is used again`, async () => {
    const server = await serveFile();
    const socket = await open(server.port, kind);
    const kept: Buffer[] = [];
    receive(socket, (bytes) => {
      kept.push(bytes);
      return 'kept';
    });
    await once(socket, 'end');
    assert.ok(Buffer.concat(kept).equals(file));
    socket.destroy();
    await server.close();
  });

  test(`${kind}: bytes that are done with arrive in order, through many pauses`, async () => {
    const server = await serveFile();
    const socket = await open(server.port, kind);
    const copies: Buffer[] = [];
    receive(socket, (bytes) => {
      copies.push(Buffer.from(bytes));
      socket.pause();
      setImmediate(() => socket.resume());
      return 'done';
    });
    await once(socket, 'end');
    assert.ok(Buffer.concat(copies).equals(file));
    socket.destroy();
    await server.close();
  });

  test(`${kind}: nothing comes while paused, nor after the consumer left`, async () => {
    const server = await listen(net.createServer((socket) => socket.pipe(socket)));
    const socket = await open(server.port, kind);
    let seen = '';
    const stop = receive(socket, (bytes) => {
      seen += bytes.toString();
      socket.emit('seen');
      return 'done';
    });
    socket.write('one');
    await once(socket, 'seen');
    socket.pause();
    socket.write('two');
    while (socket.bytesWritten < 6) await new Promise(setImmediate);
    assert.equal(seen, 'one');
    socket.resume();
    await once(socket, 'seen');
    stop();
    socket.write('three');
    while (socket.bytesWritten < 11) await new Promise(setImmediate);
    assert.equal(seen, 'onetwo');
    socket.destroy();
    await server.close();
  });
}

for (const kind of ['bulk', 'descriptor'] as const) {
  test(`${kind}: reads nothing before it has a consumer`, async () => {
    const server = await serveFile();
    const socket = await open(server.port, kind);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    assert.equal(socket.bytesRead, 0);
    let bytes = 0;
    receive(socket, (part) => {
      bytes += part.length;
      return 'done';
    });
    await once(socket, 'end');
    assert.equal(bytes, file.length);
    socket.destroy();
    await server.close();
  });
}
