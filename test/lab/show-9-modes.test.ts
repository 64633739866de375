// What a [[host]] may ask for: implicit, plain and tunnel mode, and data protection private, clear and auto, each against a
// real server that wants it so.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { capture, type Capture } from './harness/capture.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import type { LabServer, ServerKind } from './harness/server.js';
import { proftpd } from './servers/proftpd.js';
import { vsftpd, vsftpdPlain, vsftpdTls } from './servers/vsftpd.js';
import { digest, place, readAt, sessions } from './show/ground.js';
import type { FtpTalk } from './show/ftp-talk.js';
import { type Form } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';
import { Talks } from './show/talks.js';

const file = content(200_000, 9);
const tls = { protocol: 'TLSv1.3', reuse: 'optional' } as const;

const implicit: ServerKind = {
  ...vsftpd('vsftpd-implicit', 'TLS from the first byte on, port 990', true, [
    'implicit_ssl=YES',
    'listen_port=990',
  ]),
  implicit: true,
};

/** Each server with what its [[host]] says. */
const cases = {
  implicit: { kind: implicit, host: 'mode = "implicit"' },
  plain: { kind: vsftpdPlain, host: 'mode = "plain"' },
  tunnel: { kind: vsftpdPlain, host: 'mode = "tunnel"' },
  clear: {
    kind: proftpd('proftpd-ctrl', 'TLS, data in clear allowed', { ...tls, required: 'ctrl' }),
    host: 'data = { protection = "clear" }',
  },
  autoPrivate: { kind: vsftpdTls, host: 'data = { protection = "auto" }' },
  autoClear: {
    kind: proftpd('proftpd-nodata', 'TLS, PROT P refused', { ...tls, required: 'ctrl+!data' }),
    host: 'data = { protection = "auto" }',
  },
  refused: {
    kind: proftpd('proftpd-nodata', 'TLS, PROT P refused', { ...tls, required: 'ctrl+!data' }),
    host: 'data = { protection = "private" }',
  },
} satisfies Record<string, { readonly kind: ServerKind; readonly host: string }>;
type Name = keyof typeof cases;

let lab: Lab;
let daemon: Daemon;
let person: Talker;
const servers = new Map<string, LabServer>();
let talks: Talks;

before(async () => {
  lab = await openLab();
  const hosts: string[] = [];
  for (const [name, { kind, host }] of Object.entries(cases)) {
    const server = await lab.server(kind);
    place(server, 'file.bin', file);
    servers.set(name, server);
    for (const match of [server.address.ipv4, server.address.ipv6])
      hosts.push(`[[host]]\nmatch = "${match}"\n${host}\n`);
  }
  const config = `[divert]\nports = [21, 990]\n[trust]\nunknown = "accept-new"\nstore = "file"\n${hosts.join('')}`;
  daemon = await startDaemon(lab, 'show-9', config);
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  talks = new Talks(person);
});

afterEach(() => talks.hangUp());

after(async () => {
  await person.stop();
  await daemon.stop();
  await lab.close();
});

function serverOf(name: Name): LabServer {
  const server = servers.get(name);
  assert.ok(server);
  return server;
}

async function transfers(name: Name, talk: FtpTalk, forms: readonly Form[]): Promise<void> {
  for (const form of forms) {
    const fetched = await talk.fetch(form, 'RETR file.bin');
    assert.equal(fetched.final.code, 226, `${name} ${form}: ${fetched.final.text}`);
    assert.equal(fetched.sha256, digest(file));
    const [host, port] = fetched.data.peer;
    assert.equal(host, talk.control.peer[0]);
    if (form === 'PORT' || form === 'EPRT') assert.equal(port, 20);
    const listed = await talk.fetch(form, 'LIST');
    assert.match(listed.head, /file\.bin/);
  }
  const data = await talk.passive('EPSV');
  await talk.expect(150, 'STOR up.bin');
  assert.equal(await person.upload(data.connection, 70_000), 'eof');
  assert.equal((await talk.reply()).code, 226);
  assert.equal(readAt(serverOf(name), 'up.bin').length, 70_000);
}

async function stateOf(): Promise<{
  readonly protection: string;
  readonly data: string;
  readonly warning?: string | undefined;
}> {
  const shown = await sessions(daemon, clientUid);
  assert.equal(shown.length, 1);
  const { protection, data, warning } = shown[0]!.state;
  return { protection, data, warning };
}

async function eavesdrop(name: Name): Promise<Capture> {
  const { ipv4, ipv6 } = serverOf(name).address;
  return capture(lab.network.srv, path.join(lab.folder, `${name}.pcap`), [ipv4, ipv6]);
}

/** What an eavesdropper saw: of the password, and of the file. */
async function seen(wire: Capture): Promise<readonly string[]> {
  const { sightings } = await wire.finish([
    { name: 'password', bytes: Buffer.from(login.password) },
    { name: 'file', bytes: marker },
  ]);
  return [...sightings].filter(([, places]) => places.length > 0).map(([name]) => name);
}

const v4: readonly Form[] = ['EPSV', 'PASV', 'EPRT', 'PORT'];
const v6: readonly Form[] = ['EPSV', 'EPRT'];

test('implicit: the client speaks FTP to port 21, the server TLS at port 990', async () => {
  const wire = await eavesdrop('implicit');
  await transfers('implicit', await talks.logIn(serverOf('implicit')), v4);
  assert.deepEqual(await stateOf(), { protection: 'secured', data: 'private', warning: undefined });
  await talks.hangUpLast();
  await transfers('implicit', await talks.logIn(serverOf('implicit'), 'ipv6'), v6);
  assert.deepEqual(await seen(wire), []);
});

test('implicit: a client that goes to port 990 itself is secured there', async () => {
  const wire = await eavesdrop('implicit');
  await transfers('implicit', await talks.logIn(serverOf('implicit'), 'ipv4', 990), v4);
  assert.deepEqual(await seen(wire), []);
});

test('plain: no AUTH is tried, and the session is marked', async () => {
  const wire = await eavesdrop('plain');
  await transfers('plain', await talks.logIn(serverOf('plain')), v4);
  const state = await stateOf();
  assert.equal(state.protection, 'cleartext');
  assert.match(state.warning ?? '', /plain FTP/);
  assert.doesNotMatch(serverOf('plain').log(), /AUTH/);
  assert.deepEqual(await seen(wire), ['password', 'file']);
});

test('tunnel: nothing is touched, whatever it is', async () => {
  await transfers('tunnel', await talks.logIn(serverOf('tunnel')), v4);
  assert.equal((await stateOf()).protection, 'tunnelled');
  assert.doesNotMatch(serverOf('tunnel').log(), /AUTH/);
  await talks.hangUpLast();
  await transfers('tunnel', await talks.logIn(serverOf('tunnel'), 'ipv6'), v6);
});

test('data.protection = clear: the login is encrypted, the files are not and go past ftpseal', async () => {
  const wire = await eavesdrop('clear');
  const talk = await talks.logIn(serverOf('clear'));
  await transfers('clear', talk, v4);
  assert.deepEqual(await stateOf(), { protection: 'secured', data: 'clear', warning: undefined });
  assert.match((await daemon.cli(['sessions'], clientUid)).stdout, /IN CLEAR/);
  // The server takes its ports from the whole range, so one of them may lie among ftpseal's own.
  const ports: number[] = [];
  for (let round = 0; round < 5; round += 1) ports.push(await talk.passivePort('EPSV'));
  assert.ok(
    ports.some((port) => port < 21_210 || port > 23_209),
    `the server’s own ports, not ${ports.join(', ')}`,
  );
  assert.deepEqual(await seen(wire), ['file']);
});

test('data.protection = auto: encrypted where the server can', async () => {
  const wire = await eavesdrop('autoPrivate');
  await transfers('autoPrivate', await talks.logIn(serverOf('autoPrivate')), v4);
  assert.deepEqual(await stateOf(), { protection: 'secured', data: 'private', warning: undefined });
  assert.deepEqual(await seen(wire), []);
});

test('data.protection = auto: in clear where the server refuses PROT P', async () => {
  const wire = await eavesdrop('autoClear');
  await transfers('autoClear', await talks.logIn(serverOf('autoClear')), v4);
  assert.equal((await stateOf()).data, 'clear');
  assert.deepEqual(await seen(wire), ['file']);
});

test('data.protection = private: no transfer with a server that refuses PROT P, in any form (T12)', async () => {
  const wire = await eavesdrop('refused');
  const talk = await talks.logIn(serverOf('refused'));
  for (const line of ['EPSV', 'PASV', 'PORT 10,22,0,2,200,1', 'LIST']) {
    const reply = await talk.command(line);
    assert.equal(reply.code, 522, reply.text);
    assert.match(reply.text, /data\.protection/);
  }
  assert.equal((await stateOf()).data, 'refused');
  // The rest of the session is as good as ever.
  await talk.expect(257, 'PWD');
  assert.doesNotMatch(serverOf('refused').log(), /"(?:LIST|PORT|EPSV|PASV)/);
  assert.deepEqual(await seen(wire), []);
});
