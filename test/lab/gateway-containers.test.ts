// Containers of this host: a network namespace behind a bridge, with rules beside ours as Docker, Podman and a firewall make them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { box, knockAt, openBehind, startHardened } from './gateway/ground.js';
import { clientUid, login } from './harness/account.js';
import { capture } from './harness/capture.js';
import { must, run } from './harness/command.js';
import type { Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import { isTlsHandshake } from './harness/pcap.js';
import type { LabServer } from './harness/server.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { FtpTalk } from './show/ftp-talk.js';
import { clientFolder, digest, place, readAt, sessions } from './show/ground.js';
import { Talker } from './show/talker.js';

const file = content(200_000);
/** Beside ours: what Docker and a careless router masquerade, and a firewall that lets in what docs/operations.md says. */
const neighbours = `
table inet dockerlike {
  chain post {
    type nat hook postrouting priority 100; policy accept;
    ip saddr 172.31.0.0/24 oifname != "br0" masquerade
    ip6 saddr fd31::/64 oifname != "br0" masquerade
    masquerade
  }
}
table inet firewall {
  chain input {
    type filter hook input priority 0; policy drop;
    iif "lo" accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    ct status dnat tcp dport 31100-31131 accept
  }
}
`;

let lab: Lab;
let host: string;
let container: string;
let daemon: Daemon;
let server: LabServer;
let inside: Talker;

const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';

describe('containers of this host', { skip }, () => {
  before(async () => {
    lab = await openLab();
    host = lab.network.pc;
    container = `fs-probe-${process.pid}`;
    server = await lab.server(vsftpdTls);
    place(server, 'file.bin', file);
    await openBehind(host, container);
    const config =
      '[trust]\nunknown = "accept-new"\nstore = "file"\n[divert]\nforwarded = true\nworkers = 2\n';
    daemon = await startHardened(lab, 'containers', config, host);
    // Later than ours: of two chains with one priority the later is asked first.
    await must({ namespace: host }, ['nft', '-f', '-'], neighbours);
    inside = new Talker({ namespace: container, uid: clientUid });
  });

  after(async () => {
    await inside.stop();
    await daemon.stop();
    await must({}, ['ip', 'netns', 'del', container]);
    await lab.close();
  });

  for (const { form, family } of [
    { form: 'PASV', family: 'ipv4' },
    { form: 'EPSV', family: 'ipv6' },
    { form: 'PORT', family: 'ipv4' },
    { form: 'EPRT', family: 'ipv6' },
  ] as const) {
    test(`${form} over ${family} out of a container: secured, and every peer is the server`, async () => {
      const talk = await FtpTalk.open(inside, server.address[family]);
      await talk.login();
      assert.equal((await sessions(daemon))[0]?.state.connection.client.address, box[family]);
      for (let round = 0; round < 2; round += 1) {
        const { sha256, data, final } = await talk.fetch(form, 'RETR file.bin');
        assert.equal(sha256, digest(file), final.text);
        assert.equal(data.peer[0], server.address[family]);
        if (form === 'PORT' || form === 'EPRT') assert.equal(data.peer[1], 20);
      }
      await talk.expect(221, 'QUIT');
    });
  }

  test('curl in a container, with nothing to read on the wire', async () => {
    const { ipv4, ipv6 } = server.address;
    const seen = await capture(lab.network.srv, path.join(lab.folder, 'containers.pcap'), [ipv4, ipv6]);
    const folder = clientFolder(lab, 'container');
    const at = { namespace: container, uid: clientUid, cwd: folder };
    const curl = ['curl', '-sS', '--max-time', '30', '--user', `${login.user}:${login.password}`];
    await must(at, [...curl, '-o', 'got.bin', `ftp://${ipv4}/file.bin`]);
    await must(at, [...curl, '--ftp-port', '-', '-T', 'got.bin', `ftp://[${ipv6}]/put.bin`]);
    assert.deepEqual(readFileSync(path.join(folder, 'got.bin')), file);
    assert.deepEqual(readAt(server, 'put.bin'), file);
    const { flows, sightings } = await seen.finish([
      { name: 'password', bytes: Buffer.from(login.password) },
      { name: 'file', bytes: marker },
    ]);
    assert.deepEqual([...sightings.values()].flat(), []);
    const data = flows.filter(({ accepterPort }) => accepterPort !== 21);
    assert.ok(data.length >= 2);
    for (const { openerFirst } of data) assert.ok(openerFirst !== undefined && isTlsHandshake(openerFirst));
  });

  test('a program of the host itself is secured as ever, active too, whatever is masqueraded', async () => {
    const own = new Talker({ namespace: host, uid: clientUid });
    const talk = await FtpTalk.open(own, server.address.ipv4);
    await talk.login();
    const { sha256, data } = await talk.fetch('PORT', 'RETR file.bin');
    assert.equal(sha256, digest(file));
    assert.deepEqual(data.peer, [server.address.ipv4, 20]);
    assert.equal((await sessions(daemon))[0]?.state.connection.uid, clientUid);
    await own.stop();
  });

  test('doctor says what forwards, and where nothing does', async () => {
    const config = path.join(daemon.folder, 'config.toml');
    const main = path.join(daemon.program, 'dist/daemon/main.js');
    const doctor = async (namespace: string) =>
      (await run({ namespace }, [process.execPath, main, 'doctor', '--config', config])).stdout;
    assert.match(await doctor(host), /gateway +this machine forwards IPv4 and IPv6/);
    assert.match(await doctor(lab.network.srv), /gateway +this machine does not forward IPv4 and IPv6/);
  });

  test('the ports of the proxy are closed to the container, and the rules of others stay when ours go', async () => {
    const knock = { namespace: container, from: box.ipv4, to: '172.31.0.1' };
    await must({ namespace: host }, ['nft', 'delete', 'table', 'inet', 'firewall']);
    assert.equal(await knockAt({ ...knock, port: 31100 }), 'refused');
    await daemon.stop();
    const left = await must({ namespace: host }, ['nft', 'list', 'tables']);
    assert.equal(left, 'table inet dockerlike\n');
    const greeting = await knockAt({ ...knock, to: server.address.ipv4, port: 21 });
    assert.match(greeting, /^220 /);
  });
});
