import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, it } from 'node:test';
import { dialData, dialDataFrom, dialServer } from '../../../daemon/relay/upstream.js';
import { sourcePorts } from '../../../daemon/sys/source-ports.js';
import { Fault } from '../../../shared/fault.js';
import { endpoint, range } from '../divert/plan-fixture.js';

/** Outside the system's ephemeral range, and the product's own. */
const own = range('27410-27412');

describe('a connection from the proxy’s own ports', () => {
  // Resets are how these connections end.
  const server = net.createServer((socket) => socket.on('error', () => undefined));
  const taken = net.createServer();
  let to = endpoint('127.0.0.1', 1);
  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    await once(taken.listen(own.first, '127.0.0.1'), 'listening');
    const bound = server.address();
    assert.ok(typeof bound === 'object' && bound !== null);
    to = endpoint('127.0.0.1', bound.port);
  });
  after(() => {
    server.close();
    taken.close();
  });

  it('comes from one that is free, for data as for the control connection', async () => {
    const ports = sourcePorts(own, 0);
    for (const dial of [() => dialDataFrom(ports, to), () => dialServer(to, ports)]) {
      const socket = await dial();
      const { localPort = 0 } = socket;
      assert.ok(
        localPort > own.first && localPort <= own.last,
        `${localPort} is one of ours, and not the taken one`,
      );
      socket.resetAndDestroy();
    }
  });

  it('fails with the system’s word when every one is taken, and without ports comes from any', async () => {
    const only = sourcePorts({ first: own.first, last: own.first }, 0);
    await assert.rejects(dialDataFrom(only, to), { code: 'EADDRINUSE' });
    await assert.rejects(dialServer(to, only), Fault);
    for (const socket of [await dialDataFrom(undefined, to), await dialData(to)]) {
      assert.ok((socket.localPort ?? 0) > own.last);
      socket.destroy();
    }
  });
});
