// Servers that can't be reached in the usual way: no passive mode, closed passive ports, a foreign address in 227, no PORT from
// the client; and what listens at port 21 without being an FTP server (the vectors T06, T30, T39, T52).
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { clientUid } from './harness/account.js';
import { must, waitFor } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { oddService } from './servers/odd-service.js';
import { proftpd13 } from './servers/proftpd.js';
import { vsftpd, vsftpdTls } from './servers/vsftpd.js';
import { digest, place, readAt, sessions } from './show/ground.js';
import type { FtpTalk } from './show/ftp-talk.js';
import { type Form } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';
import { Talks } from './show/talks.js';

const file = content(250_000, 10);
const everyForm: readonly Form[] = ['EPSV', 'PASV', 'EPRT', 'PORT'];

const noPassive = vsftpd('vsftpd-active', 'no passive mode', true, ['pasv_enable=NO']);
const closedPorts = vsftpd('vsftpd-closed', 'passive ports behind a wall', true, [
  'pasv_min_port=50000',
  'pasv_max_port=50010',
]);
const foreign = vsftpd('vsftpd-foreign', 'another address in 227', true, ['pasv_address=192.0.2.55']);

let lab: Lab;
let daemon: Daemon;
let person: Talker;
let talks: Talks;

before(async () => {
  lab = await openLab();
  daemon = await startDaemon(lab, 'show-9u', acceptNew);
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  talks = new Talks(person);
});

afterEach(() => talks.hangUp());

after(async () => {
  await person.stop();
  await daemon.stop();
  await lab.close();
});

async function transfers(server: LabServer, talk: FtpTalk, forms: readonly Form[]): Promise<void> {
  for (const form of forms) {
    for (let round = 0; round < 2; round += 1) {
      const fetched = await talk.fetch(form, 'RETR file.bin');
      assert.equal(fetched.final.code, 226, `${server.kind.name} ${form}: ${fetched.final.text}`);
      assert.equal(fetched.sha256, digest(file));
      assert.equal(fetched.data.peer[0], talk.control.peer[0]);
    }
  }
  const data = await talk.passive('EPSV');
  await talk.expect(150, 'STOR up.bin');
  assert.equal(await person.upload(data.connection, 80_000), 'eof');
  assert.equal((await talk.reply()).code, 226);
  assert.equal(readAt(server, 'up.bin').length, 80_000);
}

test('a server without passive mode: ftpseal lets it connect, whatever the client asks for', async () => {
  const server = await lab.server(noPassive);
  place(server, 'file.bin', file);
  await transfers(server, await talks.logIn(server), everyForm);
  await transfers(server, await talks.logIn(server, 'ipv6'), ['EPSV', 'EPRT']);
  assert.match(server.log(), /"(?:PORT|EPRT) /);
});

test('a stranger who comes to the port that ftpseal opened for the server is dropped', async () => {
  const server = await lab.server(noPassive);
  place(server, 'file.bin', file);
  const talk = await talks.logIn(server);
  const port = await talk.passivePort('EPSV');
  const opened = await must({ namespace: lab.network.pc }, ['ss', '-Hltne', 'src', '10.22.0.2']);
  const line = opened.split('\n').find((one) => one.includes('uid:21021'));
  const upstream = Number(/10\.22\.0\.2:([0-9]+)/.exec(line ?? '')?.[1]);
  assert.ok(upstream > 1023, opened);
  const stranger = new Talker({ namespace: lab.network.srv });
  const stolen = await stranger.connect('10.22.0.2', upstream);
  assert.notEqual(stolen.local[0], server.address.ipv4);
  assert.equal((await stranger.drain(stolen.connection)).size, 0);
  await stranger.stop();
  const data = await person.connect(server.address.ipv4, port);
  await talk.expect(150, 'RETR file.bin');
  assert.equal((await person.drain(data.connection)).sha256, digest(file));
  assert.equal((await talk.reply()).code, 226);
});

test('a server whose passive ports can’t be reached: the same', async () => {
  const server = await lab.server(closedPorts);
  place(server, 'file.bin', file);
  const wall = 'type filter hook input priority 0; tcp dport 50000-50010 reject with tcp reset';
  await must({ namespace: lab.network.srv }, ['nft', `table inet wall { chain in { ${wall}; }; }`]);
  // A session each: what the first form has learnt would spare the others their way around.
  for (const form of everyForm) await transfers(server, await talks.logIn(server), [form]);
  await transfers(server, await talks.logIn(server, 'ipv6'), ['EPSV', 'EPRT']);
  await must({ namespace: lab.network.srv }, ['nft', 'delete', 'table', 'inet', 'wall']);
});

test('a server whose passive ports swallow everything: the same, after ten seconds', async () => {
  const server = await lab.server(closedPorts);
  place(server, 'file.bin', file);
  const wall = 'type filter hook input priority 0; tcp dport 50000-50010 drop';
  await must({ namespace: lab.network.srv }, ['nft', `table inet wall { chain in { ${wall}; }; }`]);
  await transfers(server, await talks.logIn(server), ['EPSV', 'PORT']);
  await must({ namespace: lab.network.srv }, ['nft', 'delete', 'table', 'inet', 'wall']);
});

test('another address in a 227 is not believed (T30)', async () => {
  const server = await lab.server(foreign);
  place(server, 'file.bin', file);
  await transfers(server, await talks.logIn(server), everyForm);
  assert.match(server.log(), /192,0,2,55/);
});

test('no PORT at all: data comes to the control connection’s own port (T39)', async () => {
  for (const kind of [vsftpdTls, proftpd13]) {
    const server = await lab.server(kind);
    place(server, 'file.bin', file);
    for (const family of ['ipv4', 'ipv6'] as const) {
      const talk = await talks.logIn(server, family);
      const [host, port] = talk.control.local;
      const { listener } = await person.listen(host, port);
      for (let round = 0; round < 2; round += 1) {
        await talk.say('RETR file.bin');
        const data = await person.accept(listener);
        assert.deepEqual(data.peer, [server.address[family], 20]);
        assert.equal((await talk.reply()).code, 150);
        assert.equal((await person.drain(data.connection)).sha256, digest(file));
        await person.close(data.connection);
        assert.equal((await talk.reply()).code, 226);
      }
    }
  }
});

test('a service where the client speaks first is relayed, until somebody logs in through it (T52)', async () => {
  const server = await lab.server(oddService('echo', { banner: '' }));
  const { connection } = await person.connect(server.address.ipv4, 21);
  await person.send(connection, '\x01\x02binary nonsense\n');
  assert.equal((await person.line(connection)).text, '\x01\x02binary nonsense\n');
  const [shown] = await sessions(daemon, clientUid);
  assert.equal(shown?.state.protection, 'relayed');
  assert.match((await daemon.cli(['sessions'], clientUid)).stdout, /not FTP/);
  await person.send(connection, 'USER somebody\r\nPASS secret\r\n');
  await waitFor('AUTH at the service', () => server.log().includes('AUTH TLS'));
  assert.doesNotMatch(server.log(), /somebody|secret/);
  await person.close(connection, 'by reset');
});

test('a greeting that is not FTP is passed through as it is (T52)', async () => {
  const banner = 'SSH-2.0-OpenSSH_9.2p1\r\n';
  const server = await lab.server(oddService('ssh', { banner }));
  const { connection } = await person.connect(server.address.ipv4, 21);
  assert.equal((await person.line(connection)).text, banner);
  await person.send(connection, 'SSH-2.0-client\r\n');
  assert.equal((await person.line(connection)).text, 'SSH-2.0-client\r\n');
  await person.close(connection);
});

test('an FTP server with an odd line before its 220: encryption is tried before anybody logs in', async () => {
  const behaviour = {
    banner: 'Welcome, stranger!\r\n220 At your service.\r\n',
    answers: { AUTH: '500 What?\r\n', USER: '331 Password?\r\n', PASS: '230 In.\r\n' },
  };
  const server = await lab.server(oddService('odd-banner', behaviour));
  const { connection } = await person.connect(server.address.ipv4, 21);
  const read = async () => (await person.line(connection)).text;
  assert.equal(await read(), 'Welcome, stranger!\r\n');
  assert.equal(await read(), '220 At your service.\r\n');
  await person.send(connection, 'USER somebody\r\n');
  assert.match(await read(), /^331/);
  assert.deepEqual(await heardBy(server, 'USER somebody'), ['AUTH TLS', 'AUTH SSL', 'USER somebody']);
  const [shown] = await sessions(daemon, clientUid);
  assert.match(shown?.state.warning ?? '', /not encrypted/);
  await person.close(connection);
});

test('a server that hangs up on AUTH gets a second connection, in clear by policy, and no AUTH on it (T06)', async () => {
  const behaviour = {
    banner: '220 Ready.\r\n',
    hangUpOn: ['AUTH'],
    answers: { USER: '331 Password?\r\n', OPTS: '200 Ok.\r\n', PASS: '230 In.\r\n', FEAT: '211 None.\r\n' },
  };
  const server = await lab.server(oddService('hang-up', behaviour));
  const talk = await talks.open(server);
  await talk.expect(200, 'OPTS UTF8 ON');
  await talk.expect(331, 'USER somebody');
  await talk.expect(230, 'PASS secret');
  assert.deepEqual(await heardBy(server, 'PASS secret'), [
    'OPTS UTF8 ON',
    'AUTH TLS',
    'OPTS UTF8 ON',
    'USER somebody',
    'PASS secret',
  ]);
});

for (const code of [421, 502, 504, 530, 534]) {
  test(`a server that never had encryption and answers AUTH with ${code}: one decision, then the login (T06)`, async () => {
    const behaviour = {
      banner: '220 Ready.\r\n',
      answers: { AUTH: `${code} No.\r\n`, USER: '331 Password?\r\n' },
      otherwise: '500 What?\r\n',
    };
    const server = await lab.server(oddService(`auth-${code}`, behaviour));
    const talk = await talks.open(server);
    const reply = await talk.command('USER somebody');
    assert.equal(reply.code, 331, reply.text);
    const heard = await heardBy(server, 'USER somebody');
    assert.equal(heard.at(-1), 'USER somebody');
    assert.ok(
      heard.slice(0, -1).every((line) => line.startsWith('AUTH ')),
      heard.join(),
    );
  });
}

/** The lines at the service up to `last`, without the numbers of connections. Its log may come later than its replies. */
async function heardBy(server: LabServer, last: string): Promise<readonly string[]> {
  const heard = (): readonly string[] =>
    server
      .log()
      .split('\n')
      .flatMap((line) => /^[0-9]+ (.+)$/.exec(line)?.[1] ?? []);
  await waitFor(`${last} at the service`, () => heard().includes(last));
  return heard();
}
