import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { describe, test } from 'node:test';
import type tls from 'node:tls';
import { pump, type PumpOptions } from '../../../daemon/relay/data-pump.js';
import { openTls } from '../../../daemon/relay/tls-client.js';
import { connectClient, dial, payload, readAll, serveTls } from './socket-fixture.js';
import {
  LEGS,
  TLS_LEGS,
  base,
  certificates,
  openLeg,
  pumpLeg,
  serve,
  start,
  streamOf,
} from './transfer-fixture.js';

describe('memory', () => {
  const size = 96 * 1024 * 1024;
  const big = payload(1024 * 1024, 5);

  async function untilStill(value: () => number): Promise<number> {
    let last = -1;
    let still = 0;
    while (still < 20) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      still = value() === last ? still + 1 : 0;
      last = value();
    }
    return last;
  }

  const held = (socket: net.Socket): number => socket.readableLength + socket.writableLength;

  for (const kind of LEGS) {
    test(`download, ${kind}: a client that does not read stops the server (T54)`, async () => {
      let sent = 0;
      const server = await serve(kind, (socket) => {
        socket.resume();
        const more = (): void => {
          if (sent >= size) socket.end();
          else socket.write(big, more);
          sent += big.length;
        };
        more();
      });
      const run = await start('download', kind, server.port);
      run.far.pause();
      const moved = await untilStill(run.counted);
      assert.ok(moved < size / 2, `${moved} bytes moved although nobody read`);
      const stream = streamOf(run.server);
      const buffered = held(run.near) + held(stream);
      assert.ok(buffered <= 2 * 1024 * 1024, `${buffered} bytes held`);
      let received = 0;
      run.far.on('data', (part: Buffer) => (received += part.length));
      run.far.resume();
      assert.deepEqual(await run.outcome, { kind: 'complete', bytes: size });
      if (!run.far.readableEnded) await once(run.far, 'end');
      assert.equal(received, size);
      run.far.end();
      await run.close();
      await server.close();
    });

    test(`upload, ${kind}: a server that does not read stops the client (T54)`, async () => {
      let accepted: net.Socket | undefined;
      let received = 0;
      const server = await serve(kind, (socket) => {
        accepted = socket;
        socket.on('data', (part: Buffer) => (received += part.length));
        socket.on('end', () => socket.end());
        socket.pause();
      });
      const run = await start('upload', kind, server.port);
      let sent = 0;
      const more = (): void => {
        if (sent >= size) run.far.end();
        else run.far.write(big, more);
        sent += big.length;
      };
      more();
      const moved = await untilStill(run.counted);
      assert.ok(moved < size / 2, `${moved} bytes moved although nobody read`);
      const stream = streamOf(run.server);
      const buffered = held(run.near) + held(stream);
      assert.ok(buffered <= 2 * 1024 * 1024, `${buffered} bytes held`);
      run.far.resume();
      accepted?.resume();
      assert.deepEqual(await run.outcome, { kind: 'complete', bytes: size });
      assert.equal(received, size);
      await run.close();
      await server.close();
    });
  }
});

describe('what may already have happened when the pump starts', () => {
  for (const kind of LEGS) {
    test(`${kind}: both sides are over before`, async () => {
      const server = await serve(kind, (socket) => socket.end().resume());
      const { near, far, close } = await connectClient();
      far.end();
      const leg = await openLeg(kind, server.port);
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      const outcome = await pumpLeg(kind, {
        client: near,
        server: leg,
        direction: 'download',
        onBytes: () => undefined,
      });
      assert.deepEqual(outcome, { kind: 'complete', bytes: 0 });
      await close();
      await server.close();
    });

    test(`${kind}: a leg is already destroyed`, async () => {
      for (const direction of ['download', 'upload'] as const) {
        for (const gone of ['client', 'server'] as const) {
          const server = await serve(kind, (socket) => socket.resume());
          const { near, close } = await connectClient();
          const leg = await openLeg(kind, server.port);
          const stream = streamOf(leg);
          (gone === 'client' ? near : stream).destroy();
          const { kind: end } = await pumpLeg(kind, {
            client: near,
            server: leg,
            direction,
            onBytes: () => undefined,
          });
          const lost = direction === 'download' ? 'truncated' : 'serverGone';
          assert.equal(end, gone === 'client' ? 'clientGone' : lost);
          if (!near.closed) await once(near, 'close');
          if (!stream.closed) await once(stream, 'close');
          await close();
          await server.close();
        }
      }
    });
  }
});

test('a standstill is the fault of the side that does not move', async () => {
  const cases: readonly [PumpOptions['direction'], (socket: net.Socket) => void, string][] = [
    ['download', (socket) => socket.write('then silence'), 'truncated'],
    ['upload', (socket) => socket.resume(), 'clientGone'],
  ];
  for (const kind of TLS_LEGS)
    for (const [direction, behave, expected] of cases) {
      const server = await serve(kind, behave);
      const run = await start(direction, kind, server.port, { stallMs: 30 });
      run.far.resume();
      assert.equal((await run.outcome).kind, expected);
      await run.close();
      await server.close();
    }
});

test('breaking off from outside', async () => {
  for (const kind of TLS_LEGS)
    for (const direction of ['download', 'upload'] as const) {
      const server = await serve(kind, (socket) => socket.resume());
      const run = await start(direction, kind, server.port);
      run.near.destroy();
      assert.equal((await run.outcome).kind, 'clientGone');
      await run.close();
      await server.close();
    }
});

test('the link of a data connection counts tickets and file apart', async () => {
  const options: tls.TlsOptions = { minVersion: 'TLSv1.3' };
  const server = await serveTls(certificates.server, options, (socket) => socket.end('tiny').resume());
  const link = openTls(await dial(server.port, 'bulk'), base);
  await link.established;
  const { near, far, close } = await connectClient();
  const got = readAll(far);
  const outcome = await pump({ client: near, server: link, direction: 'download', onBytes: () => undefined });
  assert.deepEqual(outcome, { kind: 'complete', bytes: 4 });
  assert.equal((await got).bytes.toString(), 'tiny');
  assert.ok(link.newestSession() !== undefined);
  far.end();
  await close();
  await server.close();
});
