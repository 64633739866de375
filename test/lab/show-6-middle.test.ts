// A man in the middle who wants the password or the file: takes encryption out of the conversation, puts words into it, answers
// the server's data port himself or is there first (the vectors T01, T04 to T08, T22, T32, T33).
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { waitFor } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { proftpd12, proftpdNoReuse } from './servers/proftpd.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { digest, otherUid, place, sessions } from './show/ground.js';
import { FtpTalk } from './show/ftp-talk.js';
import { Middle } from './show/middle.js';
import type { Plan } from './show/middle-plan.js';
import { Talker } from './show/talker.js';

const file = content(500_000, 6);

let lab: Lab;
let daemon: Daemon;
let middle: Middle;
let person: Talker;
let thief: Talker;
let strict: LabServer;
let lax: LabServer;
let old: LabServer;

before(async () => {
  lab = await openLab({ third: true });
  strict = await lab.server(vsftpdTls);
  lax = await lab.server(proftpdNoReuse);
  old = await lab.server(proftpd12);
  for (const server of [strict, lax, old]) place(server, 'file.bin', file);
  daemon = await startDaemon(lab, 'show-6m', `${acceptNew}[fallback]\ncleartext = "warn"\n`);
  middle = await Middle.start(lab.network.mitm ?? '');
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  thief = new Talker({ namespace: lab.network.pc, uid: otherUid });
  for (const server of [strict, lax]) await (await works(server)).hangUp();
});

beforeEach(() => middle.plan({}));

afterEach(() => {
  for (const server of [strict, lax]) assert.doesNotMatch(server.log(), /stolen-name/);
});

after(async () => {
  await thief.stop();
  await person.stop();
  await middle.stop();
  await daemon.stop();
  await lab.close();
});

async function works(server: LabServer): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person, server.address.ipv4);
  await talk.login();
  return talk;
}

/** Opens a connection, says USER, and expects to be refused in one line. Returns it. */
async function refused(server: LabServer): Promise<string> {
  const connected = await person.connect(server.address.ipv4, 21);
  await person.line(connected.connection);
  await person.send(connected.connection, 'USER stolen-name\r\n');
  const rest = await person.drain(connected.connection);
  assert.match(rest.head, /^421 ftpseal: [^\r\n]+\r\n$/);
  return rest.head;
}

const answerAuth = (text: string): Plan['control'] => ({ kind: 'answerAuth', text, then: '500 What?\r\n' });

const strippings: readonly (readonly [string, Plan['control'], RegExp])[] = [
  ['AUTH garbled, so that the server refuses it', { kind: 'garbleAuth' }, /was encrypted before/],
  ['AUTH answered with 500', answerAuth('500 What?\r\n'), /was encrypted before/],
  ['AUTH answered with 421', answerAuth('421 Busy.\r\n'), /was encrypted before|closed/],
  ['AUTH answered with 530', answerAuth('530 Log in first.\r\n'), /was encrypted before/],
  ['the connection ended at AUTH', { kind: 'hangUpOnAuth' }, /was encrypted before|closed/],
  ['230 behind the 234', { kind: 'injectAfter234', text: '230 Logged in.\r\n' }, /Nothing was sent/],
  ['234 without TLS behind it', answerAuth('234 Go on.\r\n'), /could not be set up|closed/],
  ['331 in answer to AUTH', answerAuth('331 Password?\r\n'), /was encrypted before/],
];

for (const [name, control, sentence] of strippings) {
  test(`${name}: refused, and no USER crosses`, async () => {
    await middle.plan({ control });
    for (const server of [strict, lax]) assert.match(await refused(server), sentence);
  });
}

for (const text of ['SSH-2.0-OpenSSH_9.2\r\n', '* OK IMAP4rev1 ready\r\n', '\x16\x03\x03']) {
  test(`a greeting that is not FTP (${JSON.stringify(text)}) from a server that was secure is never passed through`, async () => {
    await middle.plan({ control: { kind: 'greet', text } });
    const connected = await person.connect(strict.address.ipv4, 21);
    await person.send(connected.connection, 'USER stolen-name\r\n');
    const rest = await person.drain(connected.connection);
    assert.match(rest.head, /^421 ftpseal: [^\r\n]+\r\n$/);
    assert.deepEqual(
      (await sessions(daemon)).filter(({ state }) => state.protection === 'relayed'),
      [],
    );
  });
}

test('a greeting with 230 changes nothing: encryption first (T04)', async () => {
  await middle.plan({ control: { kind: 'greet', text: '230 Already logged in.\r\n' } });
  const connected = await person.connect(strict.address.ipv4, 21);
  assert.match((await person.line(connected.connection)).text, /^230 /);
  await person.send(connected.connection, `USER ${login.user}\r\n`);
  assert.match((await person.line(connected.connection)).text, /^331 /);
  const shown = (await sessions(daemon, clientUid)).map(({ state }) => state.protection);
  assert.deepEqual(shown, ['secured']);
  await person.close(connected.connection);
});

test('a data port that is answered with another key: nothing goes there and nothing comes from there (T22)', async () => {
  const own = await lab.certificate('impostor');
  const from = middle.reports().length;
  // Not vsftpd: it ends the session when somebody comes to its data port and leaves again.
  for (const server of [lax, old]) {
    const talk = await works(server);
    const impostor = { certificate: own.certificate, key: own.key, content: 'poisoned' };
    await middle.plan({ data: { kind: 'impersonate', ...impostor } });
    const fetched = await talk.fetch('EPSV', 'RETR file.bin');
    assert.ok(fetched.final.code >= 400, fetched.final.text);
    assert.equal(fetched.size, 0);
    const data = await talk.passive('EPSV');
    await talk.expect(150, 'STOR secret.bin');
    await person.upload(data.connection, 100_000);
    const stored = await talk.reply(60);
    assert.ok(stored.code >= 400, stored.text);
    await middle.plan({});
    const again = await talk.fetch('EPSV', 'RETR file.bin');
    assert.equal(again.final.code, 226, 'the session is kept');
    await talk.hangUp();
  }
  await waitFor('the impostor’s connections to end', () => middle.texts(from).length >= 4);
  assert.deepEqual([...new Set(middle.texts(from))], ['']);
});

for (const tls of [true, false]) {
  test(`somebody who is at the server’s data port first, ${tls ? 'with' : 'without'} TLS: never a 226 (T33)`, async () => {
    for (const server of [strict, lax]) {
      const talk = await works(server);
      await middle.plan({ data: { kind: 'steal', tls } });
      const from = middle.reports().length;
      const fetched = await talk.fetch('EPSV', 'RETR file.bin');
      assert.ok(fetched.final.code >= 400, `${server.kind.name}: ${fetched.final.text}`);
      await waitFor('the thief’s connection to end', () => middle.texts(from).length > 0);
      // A server that asks for no resumption gives the file to whoever comes first; ftpseal can only tell the client.
      if (server === strict) assert.equal(middle.texts(from).join('').includes(marker.toString()), false);
      await middle.plan({});
      // vsftpd ends the whole session over it.
      if (server === lax) assert.equal((await talk.fetch('EPSV', 'RETR file.bin')).final.code, 226);
      await talk.hangUp().catch(() => undefined);
    }
  });
}

test('another user of this machine who takes the virtual port first is dropped, and the right one still gets in (T32)', async () => {
  const talk = await works(strict);
  const port = await talk.passivePort('EPSV');
  const [host] = talk.control.peer;
  const stolen = await thief.connect(host, port);
  assert.equal((await thief.drain(stolen.connection)).size, 0);
  await talk.say('RETR file.bin');
  const late = await thief.connect(host, port);
  assert.equal((await thief.drain(late.connection)).size, 0);
  const data = await person.connect(host, port);
  assert.equal((await talk.reply()).code, 150);
  const got = await person.drain(data.connection);
  assert.equal(got.sha256, digest(file));
  assert.equal((await talk.reply()).code, 226);
  assert.match((await daemon.cli(['log'])).stdout, /data connection of somebody else was refused/);
  await talk.hangUp();
});

test('the middle never heard anybody log in', () => {
  const reports = middle.reports();
  assert.ok(reports.filter(({ kind }) => kind === 'connection').length > 20);
  assert.deepEqual(
    reports.filter(({ kind }) => kind === 'heard'),
    [],
  );
});
