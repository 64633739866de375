// Where data connections of active clients come from.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { ServeDataPorts } from '../../../daemon/serve/data-ports.js';
import { parseEndpoint, type Endpoint } from '../../../shared/endpoint.js';
import { listen } from '../relay/socket-fixture.js';

function at(port: number): Endpoint {
  return parseEndpoint(`127.0.0.1:${port}`) ?? assert.fail(String(port));
}

/** The port that a connection to a client comes from, next to the control port `above` it. */
async function sourcePort(above: number): Promise<number> {
  const server = net.createServer();
  const listener = await listen(server);
  const ports = new ServeDataPorts({ own: at(above), publicAddress: undefined, range: undefined });
  const owner = { server: at(above), client: at(listener.port), uid: undefined, forwarded: false };
  const accepted = once(server, 'connection') as Promise<[net.Socket]>;
  const socket = await ports.connect(owner, at(listener.port));
  const [far] = await accepted;
  const port = far.remotePort ?? 0;
  socket.destroy();
  await listener.close();
  return port;
}

describe('a data connection to an active client', () => {
  it('comes from the port below that of the control connection, from any other if somebody has that', async () => {
    const blocker = net.createServer();
    const { port, close } = await listen(blocker);
    const other = await sourcePort(port + 1);
    assert.ok(other > 0 && other !== port);
    await close();
    assert.equal(await sourcePort(port + 1), port);
  });
});
