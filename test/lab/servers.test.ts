// The lab's servers do what their names say, without ftpseal: else a green matrix would prove nothing.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { login, serverUid } from './harness/account.js';
import { run, type Finished } from './harness/command.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import { capture } from './harness/capture.js';
import { isTlsHandshake } from './harness/pcap.js';
import type { LabServer } from './harness/server.js';
import { everyServer } from './servers/all.js';

let lab: Lab;

before(async () => {
  lab = await openLab();
});
after(async () => {
  await lab.close();
});

function curl(address: string, options: readonly string[]): Promise<Finished> {
  const host = address.includes(':') ? `[${address}]` : address;
  const argv = ['curl', '-sS', '-k', '--user', `${login.user}:${login.password}`, ...options];
  return run({ namespace: lab.network.pc }, [...argv, `ftp://${host}/hello.bin`]);
}

function place(server: LabServer, name: string, bytes: Buffer): void {
  const file = path.join(server.home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  chownSync(file, serverUid, serverUid);
}

const hello = content(65_536);
const secrets = [
  { name: 'password', bytes: Buffer.from(login.password) },
  { name: 'marker', bytes: marker },
];

for (const kind of everyServer) {
  test(`${kind.name}: ${kind.setup}`, async () => {
    const server = await lab.server(kind);
    place(server, 'hello.bin', hello);
    const tls = kind.secured ? ['--ssl-reqd'] : [];
    // Debian 12's curl hangs after the 150 reply of an active transfer under TLS, whatever the server.
    const modes = kind.secured ? [['--ftp-pasv']] : [['--ftp-pasv'], ['--ftp-port', '-']];
    const addresses = [server.address.ipv4, server.address.ipv6];
    const wire = await capture(lab.network.srv, path.join(lab.folder, `${kind.name}.pcap`), addresses);
    for (const address of addresses) {
      for (const mode of modes) {
        const got = await curl(address, [...tls, ...mode, '--output', path.join(lab.folder, 'got')]);
        assert.equal(got.code, 0, `${address} ${mode.join(' ')}: ${got.stderr}\n${server.log()}`);
      }
    }
    const report = await wire.finish(secrets);
    assert.equal(report.dropped, 0);
    for (const { name } of secrets)
      assert.equal(report.sightings.get(name)?.length !== 0, !kind.secured, name);
    const data = report.flows.filter((flow) => flow.openerPort !== 21 && flow.accepterPort !== 21);
    assert.equal(data.length, 2 * modes.length, 'every transfer has one data connection');
    const handshakes = data.every(
      (flow) =>
        (flow.openerFirst === undefined || isTlsHandshake(flow.openerFirst)) &&
        (flow.accepterFirst === undefined || isTlsHandshake(flow.accepterFirst)),
    );
    assert.equal(handshakes, kind.secured);
    if (!kind.secured) return;
    const clear = await curl(server.address.ipv4, ['--output', '/dev/null']);
    assert.notEqual(clear.code, 0, 'a login in clear must be refused');
    const alone = await curl(server.address.ipv4, [...tls, '--no-sessionid', '--output', '/dev/null']);
    const demandsReuse = kind.setup.includes('session reuse required');
    assert.equal(alone.code !== 0, demandsReuse, `a data connection without resumption: ${alone.stderr}`);
  });
}
