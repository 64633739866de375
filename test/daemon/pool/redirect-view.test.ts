import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { redirectView } from '../../../daemon/pool/redirect-view.js';
import { endpoint } from '../divert/plan-fixture.js';
import type { AcceptedEnds } from '../../../daemon/divert/diverter.js';

const nobody = () => Promise.resolve(undefined);
const owner = {
  server: endpoint('192.0.2.9', 21),
  client: endpoint('10.0.0.1', 40000),
  uid: 1000,
  forwarded: false,
};
const to = endpoint('10.0.0.1', 40100);

/** One accepted connection on loopback; both ends are closed afterwards. */
async function withAccepted(use: (accepted: net.Socket, client: net.Socket) => Promise<void>): Promise<void> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const accepting = new Promise<net.Socket>((resolve) => {
    server.once('connection', resolve);
  });
  const client = net.connect(address.port, '127.0.0.1');
  try {
    if (client.connecting) await once(client, 'connect');
    const accepted = await accepting;
    await use(accepted, client);
    accepted.destroy();
  } finally {
    client.destroy();
    server.close();
  }
}

test('the kernel’s redirect: loopback, and no origin for a connection made directly', async () => {
  const view = redirectView({ layer: 'nftables', forwarded: false }, nobody);
  assert.deepEqual(view.listenOn, ['127.0.0.1', '::1']);
  const { port } = endpoint('10.0.0.1', 23300);
  assert.deepEqual(view.activeRoute(owner, to, port), {
    to,
    from: { localAddress: '127.0.0.1', localPort: 23300 },
  });
  await withAccepted(async (accepted) => {
    assert.equal(await view.originOf(accepted), undefined);
    const arriving = view.arriving(accepted);
    assert.equal(arriving.server, undefined, 'nothing to dial');
    assert.equal(await arriving.origin(), undefined);
  });
});

test('the kernel’s redirect on a gateway: every address, and a device is dialled from where the route to it begins', () => {
  const view = redirectView({ layer: 'nftables', forwarded: true }, nobody);
  assert.deepEqual(view.listenOn, ['0.0.0.0', '::']);
  const { port } = endpoint('10.0.0.1', 23300);
  const device = { ...owner, uid: undefined, forwarded: true };
  assert.deepEqual(view.activeRoute(device, to, port), { to, from: { localPort: 23300 } });
});

test('the engine’s: every address, both ends in the question, the server’s address dialled for the client', async () => {
  const asked: AcceptedEnds[] = [];
  const origin = { client: owner.client, server: owner.server, uid: 1000 };
  const view = redirectView({ layer: 'tun', forwarded: false }, (ends) => {
    asked.push(ends);
    return Promise.resolve(origin);
  });
  assert.deepEqual(view.listenOn, ['0.0.0.0', '::']);
  const { port } = endpoint('10.0.0.1', 23300);
  assert.deepEqual(view.activeRoute(owner, to, port), {
    to: endpoint('192.0.2.9', 40100),
    from: { localAddress: '10.0.0.1', localPort: 23300 },
  });
  await withAccepted(async (accepted, client) => {
    assert.deepEqual(await view.originOf(accepted), { ...origin, forwarded: false });
    const peer = endpoint('127.0.0.1', client.localPort ?? 0);
    const local = endpoint('127.0.0.1', client.remotePort ?? 0);
    assert.deepEqual(asked, [{ peer, local }]);
    const arriving = view.arriving(accepted);
    assert.equal(arriving.server, undefined, 'known only with its owner');
    assert.deepEqual(await arriving.origin(), { ...origin, forwarded: false });
  });
});
