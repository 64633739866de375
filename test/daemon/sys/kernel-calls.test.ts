// The koffi bindings against this machine's kernel, without root, on loopback: in the main thread and in a worker.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, openSync, closeSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { tryLock } from '../../../daemon/sys/libc.js';
import { originalDestination } from '../../../daemon/sys/original-destination.js';
import { peerCredentials } from '../../../daemon/sys/peer-credentials.js';
import { findSocket, findSocketsTo } from '../../../daemon/sys/sock-diag.js';
import { socketDescriptor } from '../../../daemon/sys/socket-descriptor.js';
import { socketOwner } from '../../../daemon/sys/socket-owner.js';
import { endpoint } from '../divert/plan-fixture.js';
import type { UserId } from '../../../shared/user-id.js';

const uid = process.getuid?.();

interface Pair {
  readonly client: net.Socket;
  readonly accepted: net.Socket;
  close(): void;
}

/** Two ends of one connection; `where` is a Unix path or a loopback address. */
function connected(where: { path: string } | { host: string; port: number }): Promise<Pair> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(where, () => {
      const at = server.address();
      const client =
        at === null || typeof at === 'string'
          ? net.connect(at ?? '')
          : net.connect(at.port, 'host' in where ? where.host : '');
      server.once('connection', (accepted) => {
        const close = (): void => {
          client.destroy();
          accepted.destroy();
          server.close();
        };
        resolve({ client, accepted, close });
      });
    });
  });
}

function descriptor(socket: net.Socket): number {
  const fd = socketDescriptor(socket);
  assert.ok(fd !== undefined);
  return fd;
}

async function ownerOfOwnConnection(host: string): Promise<UserId | undefined> {
  const pair = await connected({ host, port: 0 });
  const { remoteAddress = '', remotePort = 0, localPort = 0 } = pair.accepted;
  const owner = socketOwner(endpoint(remoteAddress, remotePort), endpoint(host, localPort));
  assert.equal(originalDestination(pair.accepted), undefined, 'nothing redirected it');
  pair.close();
  return owner;
}

if (!isMainThread) {
  void ownerOfOwnConnection('127.0.0.1').then((owner) => parentPort?.postMessage(owner));
} else {
  test('the owner of a connection, IPv4 and IPv6', async () => {
    assert.equal(await ownerOfOwnConnection('127.0.0.1'), uid);
    assert.equal(await ownerOfOwnConnection('::1'), uid);
  });

  test('the same in a worker thread', async () => {
    const worker = new Worker(new URL(import.meta.url));
    let owner: unknown;
    worker.on('message', (message: unknown) => (owner = message));
    // Not only the message: what the thread has open goes when it does, while a later test counts descriptors.
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    assert.equal(owner, uid);
  });

  test('nobody owns a connection that is not there', () => {
    assert.equal(socketOwner(endpoint('127.0.0.1', 1), endpoint('127.0.0.1', 2)), undefined);
  });

  test('the owner of an IPv6 socket that holds an IPv4 connection', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    const client = net.connect(port, '::ffff:127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    const [from, to] = [endpoint('127.0.0.1', accepted.remotePort ?? 0), endpoint('127.0.0.1', port)];
    assert.equal(findSocket(from, to)?.uid, uid);
    assert.equal(findSocket(to, from)?.uid, uid);
    for (const socket of [client, accepted]) socket.destroy();
    server.close();
  });

  test('one netlink socket answers every question, also after one that walked through all sockets', async () => {
    const pair = await connected({ host: '127.0.0.1', port: 0 });
    const { remotePort = 0, localPort = 0 } = pair.accepted;
    const [client, server] = [endpoint('127.0.0.1', remotePort), endpoint('127.0.0.1', localPort)];
    assert.equal(socketOwner(client, server), uid);
    const open = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) {
      assert.equal(socketOwner(client, server), uid);
      assert.equal(socketOwner(endpoint('127.0.0.1', 1), endpoint('127.0.0.1', 2)), undefined);
      assert.equal(findSocket(server, client)?.uid, uid);
      assert.equal(findSocketsTo(server).length, 1);
    }
    assert.equal(readdirSync('/proc/self/fd').length, open);
    pair.close();
  });

  test('the peer of a Unix socket', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-sys-'));
    const pair = await connected({ path: path.join(folder, 'socket') });
    const expected = { pid: process.pid, uid, gid: process.getgid?.() };
    assert.deepEqual(peerCredentials(descriptor(pair.accepted)), expected);
    pair.close();
    rmSync(folder, { recursive: true });
  });

  test('a descriptor that is no socket is an error with its number', () => {
    assert.throws(() => peerCredentials(-1), { call: 'getsockopt', errno: 9 });
  });

  test('a closed socket has no descriptor', async () => {
    const pair = await connected({ host: '127.0.0.1', port: 0 });
    pair.close();
    assert.equal(socketDescriptor(pair.client), undefined);
  });

  test('a lock is exclusive and goes with its descriptor', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-sys-'));
    const [first, second] = [openSync(folder, 'r'), openSync(folder, 'r')];
    assert.equal(tryLock(first), true);
    assert.equal(tryLock(second), false);
    closeSync(first);
    assert.equal(tryLock(second), true);
    closeSync(second);
    rmSync(folder, { recursive: true });
  });
}
