// All sessions of one process: how many there may be, and whose turn it is.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { HandshakeTurns } from '../../../daemon/serve/handshake-turns.js';
import { loadServeConfig } from '../../../daemon/serve/serve-config-load.js';
import { ServeServer } from '../../../daemon/serve/serve-server.js';
import { Log } from '../../../daemon/sys/log.js';
import { payload, listen, readAll, type Listener } from '../relay/socket-fixture.js';
import { startBackend } from './plain-backend.js';

const log = new Log({ stateDir: undefined, foreground: false, level: 'error' });
const open: { close(): void | Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** A server proxy that takes so many sessions, behind a listener of the test. */
async function startServe(
  maxSessions: number,
): Promise<{ readonly server: ServeServer; readonly port: number }> {
  const backend = await startBackend(payload(10));
  const config = await loadServeConfig('/dev/null', {
    ...{ backend: `127.0.0.1:${backend.port}`, require: 'none', max_sessions: maxSessions },
  });
  const server = new ServeServer({ config, credentials: undefined, safetp: undefined, log });
  const listener: Listener = await listen(
    net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
      server.take(socket, false);
    }),
  );
  open.push(backend, listener, { close: () => server.stop(0) });
  return { server, port: listener.port };
}

async function greeted(port: number): Promise<{ readonly socket: net.Socket; readonly text: string }> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return { socket, text: bytes.toString() };
}

describe('the sessions of one server proxy', () => {
  it('are no more than max_sessions: the next is told so, and is let in when one has gone', async () => {
    const { server, port } = await startServe(2);
    const [first, second] = [await greeted(port), await greeted(port)];
    assert.match(first.text + second.text, /^220 ready\r\n220 ready\r\n$/);
    const refused = net.connect(port, '127.0.0.1');
    const { bytes, ended } = await readAll(refused);
    assert.match(bytes.toString(), /^421 ftpseal: too many people[^\r]*\r\n$/);
    assert.ok(ended);
    first.socket.end('QUIT\r\n');
    await once(first.socket.resume(), 'close');
    for (;;) {
      const next = await greeted(port);
      next.socket.destroy();
      if (next.text.startsWith('220 ')) break;
    }
    second.socket.destroy();
    await server.empty;
  });
});

describe('who is refused', () => {
  it('holds no connection, though it never closes its side', async () => {
    const { server, port } = await startServe(1);
    const first = await greeted(port);
    const refused = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    refused.on('error', () => undefined);
    await readAll(refused);
    const closed = new Promise((resolve) => refused.once('close', resolve));
    // Only a connection that is gone answers with a reset.
    const knocking = setInterval(() => refused.write('x'), 100);
    await closed;
    clearInterval(knocking);
    first.socket.destroy();
    await server.empty;
  });
});

describe('turns for public-key operations', () => {
  it('are given one at a time, in order, and with a pause as long as the work', async () => {
    const turns = new HandshakeTurns();
    const order: string[] = [];
    const timers = { during: 0 };
    const work = (name: string, done: () => void): void => {
      turns.take(() => {
        order.push(name);
        const until = performance.now() + 20;
        while (performance.now() < until);
        setImmediate(() => (timers.during += 1));
        done();
      });
    };
    await new Promise<void>((resolve) => {
      work('a', () => undefined);
      work('b', () => undefined);
      work('c', resolve);
      order.push('all asked');
    });
    assert.deepEqual(order, ['all asked', 'a', 'b', 'c']);
    // Others had the loop in between.
    assert.equal(timers.during, 2);
  });
});
