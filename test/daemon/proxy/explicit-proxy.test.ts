// `ftpseal proxy` as a process: starts without any right, answers, refuses to start twice, ends when told.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { DaemonClient } from '../../../daemon/ipc/client.js';
import { failWhenUnsettled } from '../../unsettled.js';

const main = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url));

let folder: string;
let children: ChildProcess[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-proxy-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function start(port: number) {
  const argv = [
    'proxy',
    '--listen',
    `127.0.0.1:${port}`,
    '--state-dir',
    join(folder, 'state'),
    '--runtime-dir',
    folder,
  ];
  const child = spawn(process.execPath, [main, ...argv], { stdio: ['ignore', 'ignore', 'pipe'] });
  failWhenUnsettled(child, [process.execPath, ...argv]);
  children.push(child);
  let said = '';
  const ready = new Promise<string>((resolve) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('name@host')) resolve(said);
    });
    child.once('close', () => {
      resolve(said);
    });
  });
  return { child, ready };
}

describe('the explicit proxy', () => {
  it('listens, tells its status, and ends at SIGTERM with its socket gone', async () => {
    const port = await freePort();
    const { child, ready } = start(port);
    assert.match(await ready, new RegExp(`listens on 127.0.0.1:${port}`));
    const client = await DaemonClient.connect(folder);
    const status = await client.request('status', {});
    assert.equal(status.mode, 'explicit');
    assert.deepEqual(status.redirect, { kind: 'none', listen: [`127.0.0.1:${port}`] });
    client.close();
    const ftp = connect(port, '127.0.0.1');
    const [greeting] = (await once(ftp, 'data')) as [Buffer];
    assert.match(greeting.toString(), /^220/);
    ftp.destroy();
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number];
    assert.equal(code, 0);
    assert.deepEqual(await readdir(folder), ['state']);
  });

  it('does not start twice in one place, nor on a port that is taken', async () => {
    const port = await freePort();
    await start(port).ready;
    const second = start(await freePort());
    assert.match(await second.ready, /A daemon runs already/);
    assert.equal(second.child.exitCode, 2);
  });

  it('says so when its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { child, ready } = start((taken.address() as AddressInfo).port);
    assert.match(await ready, /EADDRINUSE|in use/);
    assert.equal(child.exitCode, 1);
    taken.close();
  });
});
