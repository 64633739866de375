import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { NO_ATTACK, startCuttingRelay, type Attack } from './cutting-relay.js';
import { payload, rawOf, readAll } from './socket-fixture.js';
import {
  LEGS,
  TLS_LEGS,
  collect,
  file,
  hash,
  sendForever,
  serve,
  start,
  streamOf,
} from './transfer-fixture.js';

for (const kind of LEGS) {
  describe(`upload, ${kind}`, () => {
    test('a file and an empty file arrive whole and end with close_notify or FIN (T35)', async () => {
      for (const bytes of [file, Buffer.alloc(0), Buffer.from('x')]) {
        const { received, server } = await collect(kind);
        const run = await start('upload', kind, server.port);
        run.far.resume();
        run.far.end(bytes);
        assert.deepEqual(await run.outcome, { kind: 'complete', bytes: bytes.length });
        const got = await received;
        assert.equal(got.ended, true);
        assert.equal(hash(got.bytes), hash(bytes));
        assert.equal(run.counted(), bytes.length);
        if (!run.far.closed) await once(run.far, 'close');
        await server.close();
        await run.close();
      }
    });

    test('a client that breaks off gives the server a reset and no end of file', async () => {
      // Also with bytes right before the reset, which Node takes for a regular end.
      for (const pause of [true, false]) {
        const { received, server } = await collect(kind);
        const run = await start('upload', kind, server.port);
        run.far.write(file.subarray(0, 50_000));
        if (pause) while (run.counted() < 50_000) await new Promise(setImmediate);
        run.far.resetAndDestroy();
        assert.equal((await run.outcome).kind, 'clientGone');
        assert.equal((await received).ended, false);
        await run.close();
        await server.close();
      }
    });

    test('a server that breaks off gives the client a reset', async () => {
      const server = await serve(kind, (socket) => {
        socket.once('data', () => rawOf(socket).resetAndDestroy());
      });
      const run = await start('upload', kind, server.port);
      const got = readAll(run.far);
      run.far.write(file);
      assert.equal((await run.outcome).kind, 'serverGone');
      assert.equal((await got).ended, false);
      await run.close();
      await server.close();
    });

    test('what the server sends is discarded, and its late close is waited for (T35)', async () => {
      const server = await serve(kind, (socket) => {
        socket.write(payload(100_000));
        socket.resume();
        socket.on('end', () => {
          socket.write(payload(100_000));
          setImmediate(() => socket.end());
        });
      });
      const run = await start('upload', kind, server.port);
      run.far.resume();
      run.far.end(file);
      assert.deepEqual(await run.outcome, { kind: 'complete', bytes: file.length });
      await run.close();
      await server.close();
    });

    test('a server that never closes is not waited for without end', async () => {
      const server = await serve(kind, (socket) => socket.resume());
      const run = await start('upload', kind, server.port, { peerCloseMs: 20 });
      run.far.resume();
      run.far.end('short');
      assert.deepEqual(await run.outcome, { kind: 'complete', bytes: 5 });
      await once(run.far, 'close');
      const stream = streamOf(run.server);
      if (!stream.closed) await once(stream, 'close');
      await run.close();
      await server.close();
    });

    test('a server that sends without end is cut off', async () => {
      const server = await serve(kind, (socket) => {
        sendForever(socket);
        socket.resume();
      });
      const run = await start('upload', kind, server.port);
      run.far.write('x');
      assert.equal((await run.outcome).kind, 'serverGone');
      await run.close();
      await server.close();
    });
  });
}

for (const version of TLS_LEGS) {
  test(`${version}: a server that says close_notify in the middle of an upload`, async () => {
    const server = await serve(version, (socket) => {
      socket.resume();
      socket.once('data', () => socket.end());
    });
    const run = await start('upload', version, server.port);
    const got = readAll(run.far);
    run.far.write(payload(50_000));
    assert.equal((await run.outcome).kind, 'serverGone');
    assert.equal((await got).ended, false);
    await run.close();
    await server.close();
  });

  test(`${version}: an upload answered by a bare FIN is complete, by a fatal alert not`, async () => {
    const { server } = await collect(version);
    let attack: Attack = NO_ATTACK;
    const relay = await startCuttingRelay(server.port, () => attack);
    const upload = async (): Promise<string> => {
      const run = await start('upload', version, relay.port);
      run.far.resume();
      run.far.end(file.subarray(0, 100));
      const { kind } = await run.outcome;
      await run.close();
      return kind;
    };
    // TLS 1.2: 4 records of handshake; 1.3: 3. Then the data.
    attack = { ...NO_ATTACK, damageClientRecord: version.includes('TLSv1.2') ? 4 : 3 };
    assert.equal(await upload(), 'serverGone');
    await relay.close();
    await server.close();
    const other = await serve(version, (socket) => {
      socket.resume();
      socket.on('end', () => rawOf(socket).end());
    });
    const run = await start('upload', version, other.port);
    run.far.resume();
    run.far.end(file);
    assert.equal((await run.outcome).kind, 'complete');
    await run.close();
    await other.close();
  });
}
