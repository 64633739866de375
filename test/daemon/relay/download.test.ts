import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { NO_ATTACK, startCuttingRelay, type Attack } from './cutting-relay.js';
import { payload, rawOf, readAll } from './socket-fixture.js';
import { LEGS, TLS_LEGS, file, hash, sendForever, serve, serveOne, start } from './transfer-fixture.js';

for (const kind of LEGS) {
  describe(`download, ${kind}`, () => {
    test('a file and an empty file arrive whole and end with a FIN', async () => {
      for (const bytes of [file, Buffer.alloc(0), Buffer.from('x')]) {
        const server = await serve(kind, (socket) => socket.end(bytes).resume());
        const run = await start('download', kind, server.port);
        const got = readAll(run.far);
        assert.deepEqual(await run.outcome, { kind: 'complete', bytes: bytes.length });
        const { bytes: received, ended } = await got;
        assert.equal(ended, true);
        assert.equal(hash(received), hash(bytes));
        assert.equal(run.counted(), bytes.length);
        run.far.end();
        await run.close();
        await server.close();
      }
    });

    test('a server that breaks off gives the client a reset', async () => {
      // Also with bytes right before the reset, which Node takes for a regular end.
      for (const pause of [true, false]) {
        const { accepted, server } = await serveOne(kind);
        const run = await start('download', kind, server.port);
        const got = readAll(run.far);
        const socket = await accepted;
        await new Promise<void>((resolve) =>
          socket.write(file.subarray(0, 30_000), () => {
            resolve();
          }),
        );
        if (pause) while (run.counted() < 30_000) await new Promise(setImmediate);
        rawOf(socket).resetAndDestroy();
        assert.equal((await run.outcome).kind, 'truncated');
        assert.equal((await got).ended, false);
        await run.close();
        await server.close();
      }
    });

    test('a client that goes away makes the server’s writes fail', async () => {
      let broke: ((error: Error) => void) | undefined;
      const broken = new Promise<Error>((resolve) => (broke = resolve));
      const server = await serve(kind, (socket) => {
        socket.on('error', (error) => broke?.(error));
        sendForever(socket);
      });
      const run = await start('download', kind, server.port);
      await once(run.far, 'data');
      run.far.destroy();
      assert.equal((await run.outcome).kind, 'clientGone');
      await broken;
      await run.close();
      await server.close();
    });

    test('what the client sends is discarded, and too much of it is not borne', async () => {
      for (const [size, expected] of [
        [200_000, 'complete'],
        [3_000_000, 'clientGone'],
      ] as const) {
        const { accepted, server } = await serveOne(kind);
        const run = await start('download', kind, server.port);
        const got = readAll(run.far);
        const socket = (await accepted).resume();
        socket.write(file);
        run.far.write(payload(size));
        if (expected === 'complete') {
          while (run.far.writableLength > 0) await new Promise(setImmediate);
          socket.end();
        }
        assert.equal((await run.outcome).kind, expected);
        assert.equal((await got).ended, expected === 'complete');
        await run.close();
        await server.close();
      }
    });
  });
}

for (const version of TLS_LEGS) {
  test(`${version}: a download is complete after the last record and truncated after any other`, async () => {
    const small = payload(40_000);
    const server = await serve(version, (socket) => socket.end(small).resume());
    let attack: Attack = NO_ATTACK;
    const relay = await startCuttingRelay(server.port, () => attack);
    const transferOnce = async (): Promise<{ kind: string; ended: boolean }> => {
      const run = await start('download', version, relay.port);
      const got = readAll(run.far);
      const { kind } = await run.outcome;
      const { ended } = await got;
      run.far.destroy();
      await run.close();
      return { kind, ended };
    };
    assert.deepEqual(await transferOnce(), { kind: 'complete', ended: true });
    const total = relay.serverRecords();
    // The file's three records and the close_notify are the last four.
    for (let records = total - 4; records < total; records += 1) {
      for (const extraBytes of [0, 3, 20]) {
        for (const end of ['fin', 'reset'] as const) {
          attack = { records, extraBytes, end };
          assert.deepEqual(
            await transferOnce(),
            { kind: 'truncated', ended: false },
            `${records}+${extraBytes} ${end}`,
          );
        }
      }
    }
    await relay.close();
    await server.close();
  });
}
