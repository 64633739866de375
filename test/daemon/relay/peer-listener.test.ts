// A port for one connection of one peer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { it } from 'node:test';
import { listenForPeer } from '../../../daemon/relay/peer-listener.js';
import { parseIpAddress, type Endpoint, type IpAddress } from '../../../shared/endpoint.js';

function address(text: string): IpAddress {
  return parseIpAddress(text) ?? assert.fail(text);
}

/** Dials from this address of the loopback; true if the connection was kept. */
async function isKept(to: Endpoint, from: string): Promise<boolean> {
  const socket = net.connect({ host: to.address, port: to.port, localAddress: from });
  socket.on('error', () => undefined);
  const over = new Promise<boolean>((resolve) => {
    socket.once('close', () => {
      resolve(false);
    });
    socket.once('data', () => {
      resolve(true);
    });
  });
  const kept = await over;
  socket.destroy();
  return kept;
}

it('takes the first connection of its peer, closes all others, and says nothing after close', async () => {
  const taken: net.Socket[] = [];
  const listening = await new Promise<Endpoint>((resolve) => {
    listenForPeer({
      address: address('127.0.0.1'),
      peer: address('127.0.0.2'),
      onListening: resolve,
      onSocket: (socket) => {
        taken.push(socket);
        socket.write('hello');
      },
      onError: (error) => assert.fail(error),
    });
  });
  assert.equal(await isKept(listening, '127.0.0.1'), false);
  assert.equal(await isKept(listening, '127.0.0.2'), true);
  assert.equal(await isKept(listening, '127.0.0.2'), false, 'one is enough');
  assert.equal(taken.length, 1);
  for (const socket of taken) socket.destroy();
});

it('reports a port that can’t be had, and nothing once it is closed', async () => {
  const elsewhere = { address: address('192.0.2.1'), peer: address('127.0.0.1') };
  const nothing = (): void => {
    assert.fail('nothing is to be reported');
  };
  const error = await new Promise<Error>((resolve) => {
    listenForPeer({ ...elsewhere, onListening: nothing, onSocket: nothing, onError: resolve });
  });
  assert.match(error.message, /EADDRNOTAVAIL/);
  listenForPeer({ ...elsewhere, onListening: nothing, onSocket: nothing, onError: nothing }).close();
  const closed = { address: address('127.0.0.1'), peer: address('127.0.0.1') };
  listenForPeer({ ...closed, onListening: nothing, onSocket: nothing, onError: nothing }).close();
  await once(net.createServer().listen(0, '127.0.0.1').unref(), 'listening');
});
