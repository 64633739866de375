// The whole way of X-SafeTP1 through the real program: an FTP client that we did not write, `ftpseal proxy` as a process, and a server
// with the other side of the mechanism.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from 'basic-ftp';
import { DaemonClient } from '../../daemon/ipc/client.js';
import { makeServerKey, serverKey } from '../daemon/security/safetp/fixture.js';
import { payload } from '../daemon/relay/socket-fixture.js';
import { startSafetpServer, type FtpServer, type FtpServerOptions } from './safetp-ftp-server.js';
import { failWhenUnsettled } from '../unsettled.js';

const main = fileURLToPath(new URL('../../daemon/main.js', import.meta.url));
const file = payload(3_000_000);
const CONFIG = '[trust]\nunknown = "accept-new"\nstore = "file"\n';

let folder: string;
let proxy: ChildProcess;
let port: number;
let servers: FtpServer[] = [];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ftpseal-safetp-'));
  await writeFile(path.join(folder, 'config.toml'), CONFIG);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  port = (probe.address() as AddressInfo).port;
  probe.close();
  const argv = ['proxy', '--listen', `127.0.0.1:${port}`, '--config', path.join(folder, 'config.toml')];
  argv.push('--state-dir', path.join(folder, 'state'), '--runtime-dir', folder);
  proxy = spawn(process.execPath, [main, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  failWhenUnsettled(proxy, [process.execPath, ...argv]);
  let said = '';
  for await (const chunk of proxy.stderr ?? []) {
    said += String(chunk);
    if (said.includes('name@host')) break;
  }
  assert.match(said, /name@host/);
});
afterEach(async () => {
  for (const server of servers) await server.close();
  servers = [];
});
after(async () => {
  proxy.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function serve(options: Partial<FtpServerOptions> = {}): Promise<FtpServer> {
  const server = await startSafetpServer({ keyOf: () => serverKey, file, ...options });
  servers.push(server);
  return server;
}

async function logIn(server: FtpServer): Promise<Client> {
  const client = new Client(20_000);
  await client.connect('127.0.0.1', port);
  await client.login(`annabella@127.0.0.1:${server.port}`, 'a secret word');
  return client;
}

async function download(client: Client): Promise<Buffer> {
  const got: Buffer[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      got.push(chunk);
      done();
    },
  });
  await client.downloadTo(sink, 'file');
  return Buffer.concat(got);
}

describe('X-SafeTP1 through ftpseal proxy', () => {
  it('logs in, fetches and stores, and nothing of it is readable on the wire', async () => {
    const server = await serve();
    const client = await logIn(server);
    assert.ok((await download(client)).equals(file));
    await client.uploadFrom(Readable.from([file]), 'up');
    assert.ok(server.stored()?.equals(file));
    const seen = server.seen();
    for (const secret of ['annabella', 'a secret', 'RETR file', 'STOR up', file.subarray(1000, 1016)])
      assert.ok(!seen.includes(secret), String(secret));
    assert.deepEqual(server.lines().slice(0, 3), ['AUTH TLS', 'AUTH SSL', 'AUTH X-SafeTP1']);
    const daemon = await DaemonClient.connect(folder);
    const { sessions } = await daemon.request('sessions.list', {});
    assert.ok(sessions.some((session) => JSON.stringify(session).includes('X-SafeTP1 (legacy)')));
    daemon.close();
    client.close();
  });
  it('remembers the key with its mechanism, and takes the server up again', async () => {
    const server = await serve();
    (await logIn(server)).close();
    (await logIn(server)).close();
    const daemon = await DaemonClient.connect(folder);
    const { keys } = await daemon.request('keys.list', {});
    const pin = keys.find((one) => one.port === server.port);
    assert.equal(pin?.mechanism, 'X-SafeTP1');
    assert.equal(pin.fingerprint, serverKey.branded.key.fingerprint);
    daemon.close();
  });
  it('refuses another key of the same server', async () => {
    const other = makeServerKey('ftp.example.org');
    const server = await serve({ keyOf: (connection) => (connection === 0 ? serverKey : other) });
    (await logIn(server)).close();
    const before = server.lines().length;
    await assert.rejects(logIn(server), /421/);
    const after = server.lines().slice(before);
    assert.deepEqual(
      after.filter((line) => line !== 'QUIT'),
      ['AUTH TLS', 'AUTH SSL', 'AUTH X-SafeTP1'],
    );
  });
  it('breaks a download off whose data was altered, and never calls it whole', async () => {
    const tamper = (stream: Buffer): Buffer => {
      const copy = Buffer.from(stream);
      copy[2_000_000] = (copy[2_000_000] ?? 0) ^ 1;
      return copy;
    };
    for (const change of [tamper, (stream: Buffer) => stream.subarray(0, 2_500_000)]) {
      const server = await serve({ tamper: change });
      const client = await logIn(server);
      await assert.rejects(download(client));
      client.close();
    }
  });
  it('is not offered once TLS was agreed to, also on the next connection', async () => {
    const server = await serve({ onAuthTls: '234 go on' });
    await assert.rejects(logIn(server));
    await assert.rejects(logIn(server));
    // What is no AUTH is a ClientHello.
    const auths = server.lines().filter((line) => line.startsWith('AUTH '));
    assert.deepEqual(auths, ['AUTH TLS', 'AUTH TLS']);
  });
});
