// The package beside a systemd-resolved: the daemon, which is not root there, hears what programs look up by way of its socket unit.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { makeAuthority, makeIssued } from './harness/certificates.js';
import { start, waitFor, type Running } from './harness/command.js';
import { openLab, type Lab } from './harness/lab.js';
import { unpacked, type LabServer } from './harness/server.js';
import { bootMachine, type Machine } from './package/machine.js';
import { containerObstacle, testUnless } from './package/obstacle.js';
import { bothVersions, debName } from './package/packages.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { place } from './show/ground.js';

const obstacle = await containerObstacle();
const test = testUnless(obstacle);
const host = 'files.lab.test';

let lab: Lab;
let server: LabServer;
let machine: Machine;
let opened: Machine | undefined;
let dns: Running | undefined;

before(async () => {
  if (obstacle !== undefined) return;
  lab = await openLab();
  const certificates = path.join(lab.folder, 'certificates');
  mkdirSync(certificates, { recursive: true });
  const authority = await makeAuthority(certificates);
  server = await lab.server(vsftpdTls, { certificate: await makeIssued(certificates, 'files', [host]) });
  place(server, 'hello.txt', Buffer.from('what the server has'));
  const resolver = lab.network.nextAddress().ipv4;
  dns = start({ namespace: lab.network.srv }, [
    ...['dnsmasq', '--no-daemon', '--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--pid-file='],
    ...['--local=/test/', `--host-record=${host},${server.address.ipv4}`, '--user=root'],
    ...[`--listen-address=${resolver}`, '--bind-interfaces'],
  ]);
  const packages = await bothVersions();
  machine = await bootMachine(path.join(lab.folder, 'machine'), lab.network.pc);
  opened = machine;
  machine.put(path.join(packages, debName('0.1.0')), '/root/ftpseal.deb');
  await installResolver(resolver);
  const config = path.join(lab.folder, 'config.toml');
  writeFileSync(config, '[trust]\nca_bundle = "/etc/ftpseal/ca.pem"\n');
  await machine.must(['mkdir', '/etc/ftpseal']);
  machine.put(authority, '/etc/ftpseal/ca.pem');
  machine.put(config, '/etc/ftpseal/config.toml');
});

after(async () => {
  if (obstacle !== undefined) return;
  await opened?.close();
  await dns?.stop(0);
  await lab.close();
});

/** What Debian's package of that name would do; the machine has no network to fetch it from. */
async function installResolver(address: string): Promise<void> {
  const root = unpacked('systemd-resolved');
  const unit = 'lib/systemd/system/systemd-resolved.service';
  for (const name of ['lib/systemd/systemd-resolved', unit]) machine.put(path.join(root, name), `/${name}`);
  const users = path.join(lab.folder, 'resolve.conf');
  copyFileSync(path.join(root, 'usr/lib/sysusers.d/systemd-resolve.conf'), users);
  machine.put(users, '/usr/lib/sysusers.d/systemd-resolve.conf');
  const settings = path.join(lab.folder, 'resolved.conf');
  writeFileSync(settings, `[Resolve]\nDNS=${address}\nDomains=~.\nDNSSEC=no\nLLMNR=no\n`);
  machine.put(settings, '/etc/systemd/resolved.conf');
  await machine.must(['sh', '-c', 'chmod 755 /lib/systemd/systemd-resolved && systemd-sysusers']);
  await machine.must(['sh', '-c', 'rm -f /etc/resolv.conf && echo nameserver 127.0.0.53 > /etc/resolv.conf']);
  await machine.must(['systemctl', 'daemon-reload']);
  await machine.must(['systemctl', 'start', 'systemd-resolved']);
}

async function journal(): Promise<string> {
  return machine.must(['journalctl', '--no-pager', '--lines=60']);
}

test('the package’s daemon hears what programs look up, and an authority’s word is enough then', async () => {
  await machine.must(['dpkg', '--install', '--force-confold', '/root/ftpseal.deb']);
  let log = '';
  await waitFor(
    () => `the daemon to listen: ${log}`,
    async () => {
      log = (await machine.run(['ftpseal', 'log'])).stdout + (await journal());
      return /info +listening to what programs look up/.test(log);
    },
    30_000,
  );
  await waitFor('the redirect', async () =>
    (await machine.run(['ftpseal', 'status', '--json'])).stdout.includes('"kind": "active"'),
  );
  const code = `
const { lookup } = require('node:dns');
lookup('${host}', (error, address) => {
  const lines = ['USER ${login.user}', 'PASS ${login.password}', 'QUIT'];
  const socket = require('node:net').connect(21, address);
  socket.on('data', (bytes) => { process.stdout.write(bytes); const next = lines.shift(); if (next) socket.write(next + '\\r\\n'); });
  socket.on('close', () => process.exit());
});`;
  const said = await machine.must(['/usr/lib/ftpseal/bin/node', '-e', code], clientUid);
  assert.match(said, /^230 /m, said);
  const keys = await machine.must(['ftpseal', 'keys', 'list', '--json'], clientUid);
  assert.match(keys, new RegExp(`"caValidFor": "${host}"`));
});

test('nobody else comes by that way, and what passes the bytes on can do little more', async (t) => {
  const knock = "require('net').connect('/run/ftpseal-names.socket').on('error', (e) => console.log(e.code))";
  assert.equal(await machine.must(['/usr/lib/ftpseal/bin/node', '-e', knock], clientUid), 'EACCES\n');
  const pid = (
    await machine.must(['systemctl', 'show', '--property=MainPID', '--value', 'ftpseal-names.service'])
  ).trim();
  const status = await machine.must(['cat', `/proc/${pid}/status`]);
  assert.match(status, /^CapEff:\s+0000000000000002$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  const unit = '/usr/lib/systemd/system/ftpseal-names.service';
  const scored = await machine.must(['systemd-analyze', 'security', '--no-pager', '--offline=true', unit]);
  const exposure = Number(/Overall exposure level for ftpseal-names.service: ([0-9.]+)/.exec(scored)?.[1]);
  t.diagnostic(`exposure ${exposure}`);
  assert.ok(exposure < 2, scored.slice(-300));
});

test('it stops and goes with the daemon', async () => {
  await machine.must(['systemctl', 'stop', 'ftpseal']);
  assert.equal((await machine.run(['systemctl', 'is-active', 'ftpseal-names.socket'])).stdout, 'inactive\n');
  assert.equal((await machine.run(['test', '-e', '/run/ftpseal-names.socket'])).code, 1);
});
