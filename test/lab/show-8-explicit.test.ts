// The explicit proxy, which any user may run: log in as name@host and the rest is as with the redirect (the issue's
// foundation: `npm start` without root).
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { run, start, waitFor, type Finished, type Running } from './harness/command.js';
import { stageProgram } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { proftpd13 } from './servers/proftpd.js';
import { vsftpdPlain, vsftpdTls } from './servers/vsftpd.js';
import { clientFolder, digest, otherUid, place, readAt, withNames } from './show/ground.js';
import { FtpTalk } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';

const down = content(400_000, 7);
const up = content(60_000, 8);
const proxyPort = 2121;

let lab: Lab;
let proxy: Running;
let folder: string;
let main: string;
let servers: readonly LabServer[];
let tls: LabServer;
const people: Talker[] = [];

before(async () => {
  lab = await openLab();
  tls = await lab.server(vsftpdTls);
  servers = [tls, await lab.server(proftpd13), await lab.server(vsftpdPlain)];
  for (const server of servers) place(server, 'down.bin', down);
  folder = clientFolder(lab, 'show-8');
  writeFileSync(path.join(folder, 'up.bin'), up);
  main = path.join(await stageProgram(lab), 'dist/daemon/main.js');
  proxy = await startProxy();
});

afterEach(async () => {
  for (const person of people.splice(0)) await person.stop();
});

after(async () => {
  await proxy.stop();
  await lab.close();
});

/** As an ordinary user from its first instruction on; only its hosts file is the lab's. */
async function startProxy(): Promise<Running> {
  const config = path.join(folder, 'config.toml');
  writeFileSync(config, '[trust]\nunknown = "accept-new"\nstore = "file"\n');
  const hosts = withNames(lab, { 'files.test': tls.address.ipv4 });
  const listen = ['--listen', `127.0.0.1:${proxyPort}`, `[::1]:${proxyPort}`];
  const program = [process.execPath, main, 'proxy', '--config', config, ...listen];
  const running = start(
    { namespace: lab.network.pc },
    hosts(clientUid, [...program, '--state-dir', path.join(folder, 'state'), '--runtime-dir', runtimeDir()]),
  );
  await waitFor(
    () => `the explicit proxy: ${running.stderr()}`,
    () => running.stderr().includes('listens on'),
    30_000,
  );
  return running;
}

function runtimeDir(): string {
  return path.join(folder, 'run');
}

function cli(argv: readonly string[]): Promise<Finished> {
  const place = { namespace: lab.network.pc, uid: clientUid };
  return run(place, [process.execPath, main, ...argv, '--runtime-dir', runtimeDir()]);
}

function curl(server: LabServer, options: readonly string[], file = ''): Promise<Finished> {
  const user = `${login.user}@${server.address.ipv4}:${login.password}`;
  const argv = ['curl', '-sS', '--max-time', '30', '--user', user, ...options];
  const place = { namespace: lab.network.pc, uid: clientUid, cwd: folder };
  return run(place, [...argv, `ftp://127.0.0.1:${proxyPort}/${file}`]);
}

const ways: readonly (readonly [string, readonly string[]])[] = [
  ['extended passive', ['--ftp-pasv']],
  ['passive', ['--ftp-pasv', '--disable-epsv']],
  ['extended active', ['--ftp-port', '-']],
  ['active', ['--ftp-port', '-', '--disable-eprt']],
];

for (const [name, options] of ways) {
  test(`curl, ${name}: list, get, put`, async () => {
    for (const server of servers) {
      const listed = await curl(server, options);
      assert.match(listed.stdout, /down\.bin/, `${server.kind.name}: ${listed.stderr}`);
      const got = await curl(server, [...options, '--output', 'got.bin'], 'down.bin');
      assert.equal(got.code, 0, `${server.kind.name}: ${got.stderr}`);
      assert.equal(digest(readFileSync(path.join(folder, 'got.bin'))), digest(down));
      const put = await curl(server, [...options, '--upload-file', 'up.bin'], 'up.bin');
      assert.equal(put.code, 0, `${server.kind.name}: ${put.stderr}`);
      assert.equal(digest(readAt(server, 'up.bin')), digest(up));
    }
  });
}

const ftplib = `
import ftplib, hashlib, io, sys
user, password, passive = sys.argv[1:4]
ftp = ftplib.FTP()
ftp.connect(sys.argv[4], ${proxyPort}, timeout=20)
ftp.login(user, password)
ftp.set_pasv(passive == "passive")
got = io.BytesIO()
ftp.retrbinary("RETR down.bin", got.write)
ftp.storbinary("STOR python.bin", io.BytesIO(got.getvalue()[:1000]))
print(hashlib.sha256(got.getvalue()).hexdigest(), "down.bin" in ftp.nlst())
ftp.quit()
`;

for (const mode of ['passive', 'active']) {
  test(`Python’s ftplib, ${mode}, by name and with a port, over IPv4 and IPv6`, async () => {
    for (const host of ['files.test', `${tls.address.ipv4}:21`, `[${tls.address.ipv6}]`]) {
      for (const at of ['127.0.0.1', '::1']) {
        const user = `${login.user}@${host}`;
        const argv = ['/usr/bin/python3', '-c', ftplib, user, login.password, mode, at];
        const finished = await run({ namespace: lab.network.pc, uid: clientUid }, argv);
        assert.equal(finished.stdout.trim(), `${digest(down)} True`, `${user}: ${finished.stderr}`);
        assert.equal(digest(readAt(tls, 'python.bin')), digest(down.subarray(0, 1000)));
      }
    }
  });
}

function newTalker(uid: number): Talker {
  const talker = new Talker({ namespace: lab.network.pc, uid });
  people.push(talker);
  return talker;
}

async function open(user: string, person = newTalker(clientUid)): Promise<readonly [FtpTalk, string]> {
  const talk = await FtpTalk.open(person, '127.0.0.1', proxyPort);
  const reply = await talk.command(`USER ${user}`);
  return [talk, reply.text];
}

for (const [name, user, expected] of [
  ['a name that nobody knows', 'labuser@nowhere.invalid', /^421 ftpseal: nowhere\.invalid/],
  ['a host without a server', 'labuser@10.22.0.200', /^421 ftpseal: 10\.22\.0\.200/],
  ['a login without a server', 'labuser', /^530 ftpseal: .*name@server/],
] as const) {
  test(`${name}: one line that says so`, async () => {
    const [, text] = await open(user);
    assert.match(text, expected);
    assert.equal(text.includes('\n'), false);
  });
}

test('sessions, status and keys are the user’s own to see', async () => {
  const [, text] = await open(`${login.user}@files.test`);
  assert.match(text, /^331 /);
  const shown = await cli(['sessions']);
  assert.match(shown.stdout, /files\.test.*TLSv1\.3/, shown.stderr);
  assert.match((await cli(['status'])).stdout, /explicit proxy at 127\.0\.0\.1:2121/);
  assert.match((await cli(['keys', 'list'])).stdout, new RegExp(tls.address.ipv4.replaceAll('.', '\\.')));
});

test('another user can’t take the data connection (T32)', async () => {
  const person = newTalker(clientUid);
  const [talk] = await open(`${login.user}@files.test`, person);
  await talk.expect(230, `PASS ${login.password}`);
  const port = await talk.passivePort('EPSV');
  const thief = newTalker(otherUid);
  const stolen = await thief.connect('127.0.0.1', port);
  assert.equal((await thief.drain(stolen.connection)).size, 0);
  const data = await person.connect('127.0.0.1', port);
  await talk.expect(150, 'RETR down.bin');
  assert.equal((await person.drain(data.connection)).sha256, digest(down));
  assert.equal((await talk.reply()).code, 226);
});

test('a revoked key and another key: 421 in one line, and no USER at the server', async () => {
  const server = await lab.server(proftpd13);
  const label = server.address.ipv4;
  assert.equal((await cli(['keys', 'add', label, server.certificate.fingerprint, '--revoked'])).code, 0);
  const [, revoked] = await open(`${login.user}@${label}`);
  assert.match(revoked, /^421 ftpseal: .*revoked/);
  const another = await lab.server(proftpd13);
  assert.equal((await cli(['keys', 'add', another.address.ipv4, tls.certificate.fingerprint])).code, 0);
  const [, changed] = await open(`${login.user}@${another.address.ipv4}`);
  assert.match(changed, /^421 ftpseal: .*changed its key/);
  for (const one of [server, another]) assert.doesNotMatch(one.log(), /"USER /);
});

test('it runs without any right of root, and no other program of its user can read its memory', async () => {
  const status = readFileSync(`/proc/${proxy.pid}/status`, 'utf8');
  assert.match(status, new RegExp(`^Uid:\\t${clientUid}\\t${clientUid}\\t${clientUid}\\t${clientUid}$`, 'm'));
  assert.match(status, /^CapEff:\t0+$/m);
  const own = await run({ uid: clientUid }, ['cat', `/proc/${proxy.pid}/environ`]);
  assert.deepEqual([own.code, own.stdout], [1, '']);
  assert.match(own.stderr, /Permission denied/);
});
