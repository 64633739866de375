// What systemd does with the installed service when things go wrong, and in which order it starts: a process that hangs, another
// program's start that flushes all rules, a boot.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before } from 'node:test';
import { statusSchema, type Status } from '../../shared/ipc-messages.js';
import { clientUid } from './harness/account.js';
import { run, start, waitFor, type Running } from './harness/command.js';
import { openLab, type Lab } from './harness/lab.js';
import type { LabServer } from './harness/server.js';
import { bootMachine, type Machine } from './package/machine.js';
import { containerObstacle, testUnless } from './package/obstacle.js';
import { bothVersions, debName } from './package/packages.js';
import { vsftpdTls } from './servers/vsftpd.js';

const obstacle = await containerObstacle();
const test = testUnless(obstacle);
const dropIn = '/etc/systemd/system/ftpseal.service.d';

let lab: Lab;
let server: LabServer;
let machine: Machine;
let opened: Machine | undefined;

before(async () => {
  if (obstacle !== undefined) return;
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  const packages = await bothVersions();
  await boot();
  machine.put(path.join(packages, debName('0.1.0')), '/root/ftpseal.deb');
  await machine.must(['dpkg', '--install', '/root/ftpseal.deb']);
  await configure('open', '[Service]\nWatchdogSec=3\n');
});

after(async () => {
  if (obstacle !== undefined) return;
  await opened?.close();
  await lab.close();
});

async function boot(): Promise<void> {
  machine = await bootMachine(path.join(lab.folder, 'machine'), lab.network.pc);
  opened = machine;
}

/** Writes configuration and a drop-in, and starts the service anew. */
async function configure(onFailure: 'open' | 'closed', unit: string): Promise<void> {
  const config = `[divert]\nworkers = 1\non_failure = "${onFailure}"\n[trust]\nunknown = "accept-new"\nstore = "file"\n`;
  const script = `
    echo "$0" > /etc/ftpseal/config.toml && mkdir -p ${dropIn} && echo "$1" > ${dropIn}/test.conf
    systemctl daemon-reload && systemctl restart ftpseal`;
  await machine.must(['sh', '-c', script, config, unit]);
}

async function show(property: string, unit = 'ftpseal.service'): Promise<string> {
  return (await machine.must(['systemctl', 'show', `--property=${property}`, '--value', unit])).trim();
}

async function journal(): Promise<string> {
  return (await machine.run(['journalctl', '--unit=ftpseal', '--lines=60', '--output=cat'])).stdout;
}

/** Undefined while nobody answers. */
async function status(): Promise<Status | undefined> {
  const asked = await machine.run(['ftpseal', 'status', '--json']);
  return asked.code === 0 ? statusSchema.parse(JSON.parse(asked.stdout)) : undefined;
}

/** What a program meets that connects again and again: `secured`, `direct` (the server itself, in clear) or `refused`. */
function knock(): Running {
  // The server refuses a password in clear; ftpseal makes it accept it.
  const code = `
import socket, time
while True:
    try:
        with socket.create_connection(('${server.address.ipv4}', 21), timeout=10) as one:
            talk = one.makefile('rwb', buffering=0)
            talk.readline(); talk.write(b'USER nobody\\r\\n')
            print('secured' if talk.readline().startswith(b'331') else 'direct', flush=True)
    except OSError: print('refused', flush=True)
    time.sleep(0.02)
`;
  return start({ namespace: lab.network.pc, uid: clientUid }, ['python3', '-c', code]);
}

/** In the order in which they came, without repetitions. */
function fates(knocking: Running): readonly string[] {
  const all = knocking.stdout().trim().split('\n');
  return all.filter((fate, index) => fate !== all[index - 1]);
}

test('it is started when the redirect stands, and says so', async (t) => {
  assert.equal(await show('StatusText'), 'FTP to port 21 is secured.');
  assert.equal((await status())?.redirect.kind, 'active');
  assert.deepEqual([await show('Type'), await show('OOMPolicy')], ['notify', 'continue']);
  const pid = (await status())?.pid ?? 0;
  const scores = ['cat', `/proc/${await show('MainPID')}/oom_score_adj`, `/proc/${pid}/oom_score_adj`];
  const [supervisor, proxy] = (await machine.must(scores)).trim().split('\n');
  // A container may lack the right to go below 0; then all are at 0.
  t.diagnostic(`taken first out of memory: supervisor ${supervisor}, proxy ${proxy}`);
  assert.equal(proxy, '0');
});

test('a proxy that hangs is replaced by the supervisor', async () => {
  const before = await status();
  const main = await show('MainPID');
  await machine.must(['sh', '-c', `kill -STOP ${before?.pid ?? 0}`]);
  await waitFor(
    'a proxy that answers',
    async () => {
      const now = await status();
      return now !== undefined && now.pid !== before?.pid && now.redirect.kind === 'active';
    },
    30_000,
  );
  assert.match(await journal(), /the proxy does not answer and is killed/);
  assert.equal(await show('MainPID'), main, 'the supervisor lived on');
});

test('a supervisor that hangs is ended by the watchdog and started anew', async () => {
  const main = await show('MainPID');
  await machine.must(['sh', '-c', `kill -STOP ${main}`]);
  await waitFor(
    'another supervisor',
    async () => {
      const now = await show('MainPID');
      return now !== main && now !== '0' && (await show('ActiveState')) === 'active';
    },
    30_000,
  );
  assert.match(await journal(), /Watchdog timeout/);
  assert.equal((await status())?.redirect.kind, 'active');
});

test('nftables.service, which flushes all rules at its start, undoes nothing for long', async () => {
  const other = await machine.must(['sh', '-c', 'systemctl restart nftables && nft list tables']);
  assert.match(other, /table inet filter/, 'it has its own rules now');
  await waitFor('the hold table', async () =>
    (await machine.must(['nft', 'list', 'tables'])).includes('inet ftpseal_hold'),
  );
  await waitFor('a word in status', async () =>
    ((await status())?.warnings ?? []).some((line) => line.startsWith('Another program (nft) removed rules')),
  );
  const said = (await journal()).split('\n').filter((line) => line.includes('removed rules of ftpseal'));
  assert.equal(said.length, 1, said.join('\n'));
});

test('at boot FTP is refused from before the network until it is secured, whatever on_failure says', async () => {
  await configure('open', '[Service]\nExecStartPre=/bin/sleep 2\n');
  await machine.close();
  await powerCut();
  const knocking = knock();
  await waitFor('the server itself', () => knocking.stdout().includes('direct'));
  await boot();
  await waitFor(
    () => `to be secured: ${fates(knocking).join(' ')}`,
    () => knocking.stdout().includes('secured'),
    30_000,
  );
  await knocking.stop();
  assert.deepEqual(fates(knocking), ['direct', 'refused', 'secured']);
  const times = await Promise.all([
    show('ActiveEnterTimestampMonotonic', 'ftpseal-boot.service'),
    show('ActiveEnterTimestampMonotonic', 'network-pre.target'),
  ]);
  assert.ok(Number(times[0]) > 0 && Number(times[0]) <= Number(times[1]), times.join(' '));
});

/** The machine has gone with its processes; what it left in the network's kernel is what a power cut takes too. */
async function powerCut(): Promise<void> {
  await run({ namespace: lab.network.pc }, ['nft', 'flush', 'ruleset']);
}

test('a daemon that can’t start does not keep FTP refused, unless it is told to', async () => {
  for (const onFailure of ['open', 'closed'] as const) {
    await configure(onFailure, '[Service]\nExecStartPre=/bin/false\nRestart=no\n').catch(() => undefined);
    await machine.must(['systemctl', 'restart', 'ftpseal-boot']);
    await machine.run(['systemctl', 'start', 'ftpseal']);
    const rules = await machine.must(['nft', 'list', 'ruleset']);
    assert.equal(rules.includes('reject with tcp reset'), onFailure === 'closed', rules);
  }
});
