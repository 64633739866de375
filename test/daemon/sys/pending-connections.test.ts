// Many connections at one moment: none waits for another turn of the event loop.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, test } from 'node:test';
import { acceptPending } from '../../../daemon/sys/pending-connections.js';

const wanted = 20;
const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
const clients: net.Socket[] = [];

after(() => {
  for (const client of clients) client.destroy();
  server.close();
});

test('all that wait are had with the first one, and they work both ways', async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const firstTurn = new Promise<readonly net.Socket[]>((resolve) => {
    server.once('connection', (socket: net.Socket) => {
      resolve([socket, ...acceptPending(server)]);
    });
  });
  // The kernel completes these one by one while this thread has not come to accept any of them.
  for (let count = 0; count < wanted; count += 1) clients.push(net.connect(address.port, '127.0.0.1'));
  const accepted = await firstTurn;
  assert.equal(accepted.length, wanted);
  assert.deepEqual(acceptPending(server), []);
  for (const [index, socket] of accepted.entries()) {
    assert.ok(socket.isPaused(), 'nothing is read before somebody wants it');
    const client = clients.find((one) => one.localPort === socket.remotePort);
    assert.ok(client !== undefined);
    client.end(`hello ${index}`);
    let heard = '';
    socket
      .setEncoding('utf8')
      .on('data', (text: string) => (heard += text))
      .resume();
    await once(socket, 'end');
    assert.equal(heard, `hello ${index}`);
    const answer = once(client, 'data');
    socket.end('half-open');
    assert.equal(String((await answer)[0]), 'half-open');
  }
});

test('a listener that is closed has none', () => {
  assert.deepEqual(acceptPending(net.createServer()), []);
});
