import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { after, describe, test } from 'node:test';
import type tls from 'node:tls';
import { GuardedTransport, type Ending } from '../../../daemon/relay/guarded-transport.js';
import { openTls, type TlsOptions } from '../../../daemon/relay/tls-client.js';
import { makeCertificates, type KeyPair } from './certificate-fixture.js';
import { NO_ATTACK, startCuttingRelay, type Attack } from './cutting-relay.js';
import { dial, payload, serveTls, type Kind, type Listener } from './socket-fixture.js';

const certificates = makeCertificates();
after(certificates.remove);
const base: TlsOptions = { host: '192.0.2.1', minVersion: 'TLSv1.2', authorities: certificates.authority };
const file = payload(40_000);

interface Seen {
  readonly ending: Ending | 'no handshake';
  readonly bytes: number;
}

/** Reads a download to its end, however it ends. */
async function download(port: number, kind: Kind = 'bulk'): Promise<Seen> {
  const link = openTls(await dial(port, kind), base);
  let bytes = 0;
  link.stream.on('data', (part: Buffer) => (bytes += part.length));
  const over = new Promise<void>((resolve) => {
    link.stream.once('end', resolve).once('close', resolve);
  });
  const isUp = await link.established.then(
    () => true,
    () => false,
  );
  await over;
  const ending = isUp ? link.ending() : 'no handshake';
  link.stream.destroy();
  return { ending, bytes };
}

/** A server that sends the file and ends with close_notify, like every FTP server at the end of RETR. */
function serveFile(options: tls.TlsOptions): Promise<Listener> {
  return serveTls(certificates.server, options, (socket) => {
    socket.resume();
    socket.end(file);
  });
}

/** The same with openssl's own server, which shares no code of Node's with the client. */
async function serveFileByOpenssl(version: string, pair: KeyPair): Promise<Listener> {
  const port = await freePort();
  const where = ['-accept', `127.0.0.1:${port}`, '-cert', pair.certPath, '-key', pair.keyPath];
  const server = spawn('openssl', ['s_server', ...where, version, '-quiet', '-nbio', '-naccept', '1'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(server, 'exit');
  server.stdin.on('error', () => undefined);
  server.stdin.end(file);
  while (!(await isListening(port))) {
    // Someone else took the port meanwhile.
    if (server.exitCode !== null) return serveFileByOpenssl(version, pair);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    port,
    close: async () => {
      server.kill();
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Asks the kernel, because a connection to see whether someone listens would be the one that is accepted. */
async function isListening(port: number): Promise<boolean> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return (await readFile('/proc/net/tcp', 'utf8')).includes(`0100007F:${hex} 00000000:0000 0A`);
}

describe('the end of a stream', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    for (const kind of ['ordinary', 'bulk'] as const) {
      test(`${version}, ${kind} socket: close_notify is authenticated`, async () => {
        const server = await serveFile({ minVersion: version, maxVersion: version });
        assert.deepEqual(await download(server.port, kind), { ending: 'authenticated', bytes: file.length });
        await server.close();
      });
    }

    test(`${version}: cut at every record border and inside every record, by FIN and by reset (T36)`, async () => {
      const server = await serveFile({ minVersion: version, maxVersion: version });
      let attack: Attack = NO_ATTACK;
      const relay = await startCuttingRelay(server.port, () => attack);
      assert.deepEqual(await download(relay.port), { ending: 'authenticated', bytes: file.length });
      const total = relay.serverRecords();
      assert.ok(total > 5);
      const seen = new Set<string>();
      for (let records = 0; records < total; records += 1) {
        for (const extraBytes of [0, 3, 5, 12, 23]) {
          for (const end of ['fin', 'reset'] as const) {
            attack = { records, extraBytes, end };
            const { ending, bytes } = await download(relay.port);
            const place = `${records} of ${total} records and ${extraBytes} bytes, then ${end}`;
            assert.ok(['no handshake', 'truncated', 'reset'].includes(ending), `${place}: ${ending}`);
            if (end === 'fin') assert.notEqual(ending, 'reset', place);
            if (end === 'fin' && records === total - 1) assert.equal(bytes, file.length, place);
            seen.add(ending);
          }
        }
      }
      assert.deepEqual([...seen].sort(), ['no handshake', 'reset', 'truncated']);
      await relay.close();
      await server.close();
    });

    test(`${version}: a reset behind the close_notify takes nothing away`, async () => {
      const server = await serveFile({ minVersion: version, maxVersion: version });
      const relay = await startCuttingRelay(server.port, () => ({ ...NO_ATTACK, end: 'reset' }));
      for (let round = 0; round < 10; round += 1) {
        assert.deepEqual(await download(relay.port), { ending: 'authenticated', bytes: file.length });
      }
      await relay.close();
      await server.close();
    });

    test(`${version}: a fatal alert is no end`, async () => {
      let broken = 0;
      const server = await serveTls(
        certificates.server,
        { minVersion: version, maxVersion: version },
        (socket) => {
          socket.on('error', () => (broken += 1));
          socket.write(file);
          socket.resume();
        },
      );
      // The handshake takes the client 4 records in TLS 1.2 (hello, key, change, finished), 3 in TLS 1.3.
      const damageClientRecord = version === 'TLSv1.2' ? 4 : 3;
      const relay = await startCuttingRelay(server.port, () => ({ ...NO_ATTACK, damageClientRecord }));
      const link = openTls(await dial(relay.port), base);
      await link.established;
      link.stream.resume();
      link.stream.write('to be damaged');
      await new Promise((resolve) => link.stream.once('close', resolve));
      assert.equal(broken, 1);
      assert.equal(link.ending(), 'reset');
      await relay.close();
      await server.close();
    });
  }

  for (const version of ['-tls1_2', '-tls1_3']) {
    test(`openssl s_server ${version}: whole, and without its close_notify`, async () => {
      const whole = await serveFileByOpenssl(version, certificates.server);
      assert.deepEqual(await download(whole.port), { ending: 'authenticated', bytes: file.length });
      await whole.close();
      const counted = await serveFileByOpenssl(version, certificates.server);
      const counter = await startCuttingRelay(counted.port, () => NO_ATTACK);
      await download(counter.port);
      const records = counter.serverRecords() - 1;
      await counter.close();
      await counted.close();
      const cut = await serveFileByOpenssl(version, certificates.server);
      const relay = await startCuttingRelay(cut.port, () => ({ records, extraBytes: 0, end: 'fin' }));
      assert.deepEqual(await download(relay.port), { ending: 'truncated', bytes: file.length });
      await relay.close();
      await cut.close();
    });
  }

  test('a close_notify that waits behind a paused reader survives the reset that follows it', async () => {
    const server = await serveFile({});
    const relay = await startCuttingRelay(server.port, () => ({ ...NO_ATTACK, end: 'reset' }));
    const raw = await dial(relay.port, 'bulk');
    const link = openTls(raw, base);
    await link.established;
    link.stream.pause();
    // The relay resets as soon as it has passed on everything; only then does this side read.
    while (!raw.destroyed && raw.bytesRead < file.length) await new Promise(setImmediate);
    let bytes = 0;
    link.stream.on('data', (part: Buffer) => (bytes += part.length));
    link.stream.resume();
    await new Promise((resolve) => link.stream.once('end', resolve));
    assert.equal(bytes, file.length);
    assert.equal(link.ending(), 'authenticated');
    // The answer to it fails on the dead connection, and that changes nothing.
    if (!raw.closed) await new Promise((resolve) => raw.once('close', resolve));
    const errors: unknown[] = [];
    link.stream.on('error', (error) => errors.push(error));
    link.stream.end();
    await new Promise((resolve) => link.stream.once('close', resolve));
    assert.deepEqual(errors, []);
    assert.equal(link.ending(), 'authenticated');
    await relay.close();
    await server.close();
  });
});

test('both directions at once under backpressure arrive whole', async () => {
  const big = payload(8 * 1024 * 1024, 7);
  const server = await serveTls(certificates.server, {}, (socket) => {
    socket.pipe(socket);
  });
  for (const kind of ['ordinary', 'bulk'] as const) {
    const link = openTls(await dial(server.port, kind), base);
    await link.established;
    const parts: Buffer[] = [];
    let sincePause = 0;
    link.stream.on('data', (part: Buffer) => {
      parts.push(part);
      sincePause += part.length;
      if (sincePause < 500_000) return;
      sincePause = 0;
      link.stream.pause();
      setTimeout(() => link.stream.resume(), 1);
    });
    link.stream.end(big);
    await once(link.stream, 'end');
    assert.ok(Buffer.concat(parts).equals(big));
    assert.equal(link.ending(), 'authenticated');
  }
  await server.close();
});

test('destroying the stream closes the socket, resetting it resets', async () => {
  const endings: string[] = [];
  const server = await serveTls(certificates.server, {}, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => endings.push(error.code ?? ''));
    socket.on('end', () => {
      endings.push('end');
      socket.end();
    });
    // The answer shows that the server is past its handshake, so that the reset comes alone.
    socket.on('data', (bytes: Buffer) => socket.write(bytes));
  });
  for (const close of ['destroy', 'reset'] as const) {
    const raw = await dial(server.port);
    const link = openTls(raw, base);
    await link.established;
    link.stream.write('are you there?');
    await once(link.stream, 'data');
    const closed = once(raw, 'close');
    const before = endings.length;
    if (close === 'reset') link.reset();
    else link.stream.destroy();
    await closed;
    while (endings.length === before) await new Promise(setImmediate);
  }
  assert.deepEqual(endings, ['end', 'ECONNRESET']);
  await server.close();
});

test('a transport that outlasts its socket ends, although a write to the broken socket failed first', async () => {
  const listener = await serveFile({});
  const raw = await dial(listener.port);
  const transport = new GuardedTransport(raw, { outlastsRaw: true });
  transport.resume();
  const ended = once(transport, 'end');
  raw.destroy();
  transport.write('too late');
  await ended;
  assert.equal(transport.ending(), 'reset');
  transport.destroy();
  await listener.close();
});
