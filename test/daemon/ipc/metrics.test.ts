// The numbers for monitoring, over a real socket with curl; and by Prometheus' own checker.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { connect } from 'node:net';
import { MetricsServer } from '../../../daemon/ipc/metrics-server.js';
import { metricsText } from '../../../daemon/ipc/metrics-text.js';
import { Counters } from '../../../daemon/proxy/counters.js';
import { repository } from '../../lab/harness/server.js';
import { status } from '../../tray/model/fixture.js';
import { skipUnlessRoot } from './raw-caller.js';
import { sessionState } from './world.js';

const run = promisify(execFile);
const promtool = join(repository, '.lab/servers/prometheus/usr/bin/promtool');
// Not t.skip: a test that skips itself gets no afterEach, and its server would keep the file from ending.
const skipWithoutPromtool = existsSync(promtool)
  ? {}
  : { skip: 'promtool is not here (npm test unpacks Debian’s prometheus as root)' };

const told = status({
  version: '1"\\\n2',
  workers: [{ index: 0, alive: true, sessions: 0, restarts: 0 }],
});

let folder: string;
let server: MetricsServer;
let counters: Counters;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-metrics-'));
  await chmod(folder, 0o711);
  counters = new Counters();
  server = await MetricsServer.listen(folder, () => metricsText(told, counters.now));
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const curl = async (...more: readonly string[]) =>
  (await run('curl', ['-sS', '-m', '5', '--unix-socket', join(folder, 'metrics.sock'), ...more])).stdout;

describe('the numbers for monitoring', () => {
  it('count sessions, bytes, refusals and lost workers, and name nobody', async () => {
    const begun = sessionState('a', 1000, { protection: 'none' });
    const secured = { ...begun, protection: 'secured', bytesUp: 5 } as const;
    counters.session(begun, undefined);
    counters.session(secured, begun);
    counters.session({ ...secured, bytesUp: 7, bytesDown: 1 }, secured);
    counters.session(sessionState('b', 1000, { protection: 'cleartext' }), undefined);
    counters.refused();
    counters.workerLost();
    const text = await curl('http://localhost/metrics');
    for (const line of [
      'ftpseal_sessions_total{protection="secured"} 1',
      'ftpseal_sessions_total{protection="cleartext"} 1',
      'ftpseal_refusals_total 1',
      'ftpseal_transferred_bytes_total{direction="up"} 7',
      'ftpseal_transferred_bytes_total{direction="down"} 1',
      'ftpseal_workers_lost_total 1',
    ])
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
    assert.doesNotMatch(text, /192\.0\.2|1000/);
  });

  it('are what Prometheus reads, whatever is in a label', skipWithoutPromtool, async () => {
    const checked = spawnSync(promtool, ['check', 'metrics'], {
      input: await curl('http://localhost/metrics'),
    });
    assert.equal(checked.status, 0, `${checked.stdout.toString()}${checked.stderr.toString()}`);
  });

  it('are at one place, to be read', async () => {
    assert.match(await curl('-i', 'http://localhost/metrics'), /^HTTP\/1\.1 200 [^]*version=0\.0\.4/);
    assert.match(await curl('-i', 'http://localhost/'), /^HTTP\/1\.1 404/);
    assert.match(await curl('-i', '-X', 'POST', 'http://localhost/metrics'), /^HTTP\/1\.1 405/);
  });

  it('are not for other users', skipUnlessRoot, async () => {
    const switched = ['--reuid=1000', '--regid=1000', '--clear-groups', 'curl', '-sS', '-i', '--unix-socket'];
    const { stdout } = await run('setpriv', [
      ...switched,
      join(folder, 'metrics.sock'),
      'http://localhost/metrics',
    ]);
    assert.match(stdout, /^HTTP\/1\.1 403 [^]*Only root/);
    assert.doesNotMatch(stdout, /ftpseal_/);
  });

  it('come also while somebody holds connections open and says nothing', async () => {
    const idle = Array.from({ length: 10 }, () => connect(join(folder, 'metrics.sock')));
    assert.match(await curl('http://localhost/metrics'), /ftpseal_securing 1/);
    for (const socket of idle) socket.destroy();
  });
});
