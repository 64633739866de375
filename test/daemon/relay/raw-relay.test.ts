import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import { relayRaw } from '../../../daemon/relay/raw-relay.js';
import { connectClient, dial, listen, payload, readAll } from './socket-fixture.js';

for (const how of ['FIN', 'reset'] as const) {
  test(`what ends by a ${how} is relayed as one, also right behind the last bytes`, async () => {
    for (const size of [1, 40_000, 3_000_000]) {
      const accepted: net.Socket[] = [];
      const server = net.createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket));
      const listener = await listen(server);
      const { near, far, close } = await connectClient();
      const upstream = await dial(listener.port);
      const [receiver] =
        accepted.length > 0 ? accepted : ((await once(server, 'connection')) as [net.Socket]);
      assert.ok(receiver !== undefined);
      const got = readAll(receiver);
      const bytes = payload(size);
      relayRaw(near, upstream);
      far.write(bytes, () => {
        if (how === 'FIN') far.end();
        else far.resetAndDestroy();
      });
      const { bytes: received, ended } = await got;
      assert.equal(ended, how === 'FIN', `${size} bytes`);
      if (how === 'FIN') assert.equal(received.equals(bytes), true);
      receiver.destroy();
      far.destroy();
      await close();
      await listener.close();
    }
  });
}
