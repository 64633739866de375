// First contact with a server (the Show 5): the person who owns the connection is asked, and nobody else; what the
// answers do; and the keys that were there before. Trust is each user's own, so every test is a person of its own.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { login, serverUid } from './harness/account.js';
import { waitFor } from './harness/command.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import type { LabServer } from './harness/server.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { clientFolder, keys, questionAbout, questions } from './show/ground.js';
import { FtpTalk } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let impatient: LabServer;
let uid = serverUid + 1000;
const people: Talker[] = [];

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  impatient = await lab.server(vsftpdTls);
  daemon = await startDaemon(lab, 'show-5', config());
});

afterEach(async () => {
  for (const person of people.splice(0)) await person.stop();
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

function config(): string {
  const host = `[[host]]\nmatch = "${impatient.address.ipv4}"\ntrust = { prompt_timeout = "700ms" }\n`;
  return `[trust]\nunknown = "ask"\nstore = "file"\n${host}`;
}

/** Somebody who was never here. */
function newPerson(): Talker {
  uid += 1;
  return personOf(uid);
}

function personOf(who: number): Talker {
  const person = new Talker({ namespace: lab.network.pc, uid: who });
  people.push(person);
  return person;
}

/** A login is on its way to the server and waits for the person. */
async function askedLogin(person: Talker, at = server): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person, at.address.ipv4);
  await talk.say(`USER ${login.user}`);
  return talk;
}

async function goesOn(talk: FtpTalk): Promise<void> {
  const asked = await talk.reply();
  assert.equal(asked.code, 331, asked.text);
  await talk.expect(230, `PASS ${login.password}`);
}

/** One line with 421, then the end of the connection. Returns the line. */
async function refused(talk: FtpTalk): Promise<string> {
  const reply = await talk.reply();
  assert.equal(reply.code, 421, reply.text);
  assert.equal(reply.text.includes('\n'), false, 'one line');
  assert.deepEqual(await talk.reply(), { code: 0, text: '', end: 'eof' });
  return reply.text;
}

function answer(
  id: string,
  given: string,
  as = uid,
): Promise<{ readonly code: number; readonly stderr: string }> {
  return daemon.cli(['prompts', '--answer', id, given], as);
}

function usersSeenBy(at: LabServer): number {
  return at.log().match(/"USER /g)?.length ?? 0;
}

async function noQuestion(): Promise<void> {
  assert.deepEqual(await questions(daemon, uid), []);
}

test('first contact asks, the client waits, and the same session goes on; the second contact is silent', async () => {
  const person = newPerson();
  const users = usersSeenBy(server);
  const talk = await askedLogin(person);
  const question = await questionAbout(daemon, server.address.ipv4, uid);
  assert.equal(
    question.question.kind === 'key' && question.question.identity.fingerprint,
    server.certificate.fingerprint,
  );
  assert.match(question.program ?? '', /^python3/);
  assert.deepEqual(question.owner, { kind: 'user', uid });
  assert.equal(usersSeenBy(server), users, 'nothing was said to the server yet');
  assert.equal((await answer(question.id, 'trust')).code, 0);
  await goesOn(talk);
  const again = await askedLogin(person);
  await goesOn(again);
  await noQuestion();
});

test('another user neither sees the question nor can answer it; root can (T24)', async () => {
  const talk = await askedLogin(newPerson());
  const question = await questionAbout(daemon, server.address.ipv4, uid);
  const other = uid + 500;
  assert.deepEqual(await questions(daemon, other), []);
  const tried = await answer(question.id, 'trust', other);
  assert.equal(tried.code, 4, tried.stderr);
  const guessed = await daemon.cli(['keys', 'remove', server.address.ipv4], other);
  assert.equal(guessed.code, 1, guessed.stderr);
  assert.equal((await questions(daemon, uid)).length, 1);
  assert.equal((await daemon.cli(['prompts', '--answer', question.id, 'trust'])).code, 0);
  await goesOn(talk);
  const users = usersSeenBy(server);
  // What one user trusts says nothing about another's connections.
  await askedLogin(newPerson());
  await questionAbout(daemon, server.address.ipv4, uid);
  assert.equal(usersSeenBy(server), users);
});

test('a pasted fingerprint trusts only if it is the server’s; a wrong one leaves the question open (T24)', async () => {
  const talk = await askedLogin(newPerson());
  const { id } = await questionAbout(daemon, server.address.ipv4, uid);
  for (const wrong of [impatient.certificate.fingerprint, 'ab'.repeat(16), `SHA1:${'ab'.repeat(20)}`]) {
    const tried = await answer(id, wrong);
    assert.notEqual(tried.code, 0, wrong);
    assert.equal((await questions(daemon, uid)).length, 1, 'still open');
  }
  const hex = Buffer.from(server.certificate.fingerprint.slice('SHA256:'.length), 'base64').toString('hex');
  const colons = (hex.match(/../g) ?? []).join(':').toUpperCase();
  assert.equal((await answer(id, ` ${colons} `)).code, 0);
  await goesOn(talk);
  assert.deepEqual(
    (await keys(daemon, uid)).keys.map((pin) => pin.fingerprint),
    [server.certificate.fingerprint],
  );
});

test('no is no, for this session; once is for this session only', async () => {
  const person = newPerson();
  const users = usersSeenBy(server);
  const first = await askedLogin(person);
  await answer((await questionAbout(daemon, server.address.ipv4, uid)).id, 'refuse');
  assert.match(await refused(first), /refused by you/);
  assert.equal(usersSeenBy(server), users);
  const second = await askedLogin(person);
  await answer((await questionAbout(daemon, server.address.ipv4, uid)).id, 'once');
  await goesOn(second);
  assert.deepEqual((await keys(daemon, uid)).keys, []);
  const third = await askedLogin(person);
  await answer((await questionAbout(daemon, server.address.ipv4, uid)).id, 'refuse');
  await refused(third);
});

test('without an answer in time: a line that says what to do, and the late answer counts for the next try (T23)', async () => {
  const person = newPerson();
  const users = usersSeenBy(impatient);
  const line = await refused(await askedLogin(person, impatient));
  const id = /ftpseal prompts --answer ([0-9a-f]+)/.exec(line)?.[1] ?? '';
  assert.ok(line.includes(impatient.certificate.fingerprint), line);
  const late = await daemon.cli(['prompts', '--answer', id, 'trust'], uid);
  assert.match(late.stdout, /counts for the next try/);
  assert.equal(usersSeenBy(impatient), users);
  await goesOn(await askedLogin(person, impatient));
});

test('fifty sessions to one new server are one question (T23)', async () => {
  const person = newPerson();
  const talks = await Promise.all(Array.from({ length: 50 }, () => askedLogin(person)));
  let waiting = 0;
  await waitFor(
    () => `50 sessions that wait for one answer, ${waiting} do`,
    async () => {
      const open = await questions(daemon, uid);
      assert.ok(open.length <= 1);
      waiting = open[0]?.waiting ?? 0;
      return waiting === 50;
    },
  );
  await answer((await questionAbout(daemon, server.address.ipv4, uid)).id, 'trust');
  await Promise.all(talks.map(goesOn));
});

test('a client that hangs up while the question is open: the answer counts for the next try (T23)', async () => {
  const person = newPerson();
  for (const how of ['calmly', 'by reset'] as const) {
    const talk = await askedLogin(person);
    await questionAbout(daemon, server.address.ipv4, uid);
    await talk.hangUp(how);
    await waitFor('nobody to wait', async () => (await questions(daemon, uid))[0]?.waiting === 0);
  }
  const { id } = await questionAbout(daemon, server.address.ipv4, uid);
  assert.equal((await answer(id, 'once')).code, 0);
  await goesOn(await askedLogin(person));
});

test('keys that were added before, as a fingerprint or a PEM file, make the first contact silent', async () => {
  const byFingerprint = newPerson();
  await daemon.json(['keys', 'add', server.address.ipv4, server.certificate.fingerprint], uid);
  await goesOn(await askedLogin(byFingerprint));
  const byFile = newPerson();
  await daemon.json(['keys', 'add', server.address.ipv4, server.certificate.certificate], uid);
  await goesOn(await askedLogin(byFile));
  await noQuestion();
});

test('a revoked key is refused, and stays revoked after a person was asked', async () => {
  const person = newPerson();
  await daemon.json(['keys', 'add', server.address.ipv4, server.certificate.fingerprint], uid);
  await goesOn(await askedLogin(person));
  await daemon.json(['keys', 'revoke', server.address.ipv4], uid);
  const users = usersSeenBy(server);
  assert.match(await refused(await askedLogin(person)), /revoked/);
  assert.equal(usersSeenBy(server), users);
  await noQuestion();
});

test('keys go out to a file and come back, also into another user’s hands', async () => {
  const person = newPerson();
  const owner = uid;
  const file = path.join(clientFolder(lab, 'export', owner), 'keys.json');
  await daemon.json(
    ['keys', 'add', server.address.ipv4, server.certificate.fingerprint, '--comment', 'mine'],
    owner,
  );
  const before = (await keys(daemon, owner)).keys;
  assert.equal((await daemon.cli(['keys', 'export', file], owner)).code, 0);
  await daemon.json(['keys', 'remove', server.address.ipv4], owner);
  assert.deepEqual((await keys(daemon, owner)).keys, []);
  await daemon.json(['keys', 'import', file], owner);
  assert.deepEqual((await keys(daemon, owner)).keys, before);
  await goesOn(await askedLogin(person));
  const receiver = newPerson();
  const printed = await daemon.cli(['keys', 'export'], owner);
  const copy = path.join(clientFolder(lab, 'import', uid), 'keys.json');
  writeFileSync(copy, printed.stdout);
  await daemon.json(['keys', 'import', copy], uid);
  await goesOn(await askedLogin(receiver));
  await noQuestion();
});

test('after a restart of the daemon the key is still known, and an open question comes again', async () => {
  const person = newPerson();
  const known = uid;
  const talk = await askedLogin(person);
  await answer((await questionAbout(daemon, server.address.ipv4, uid)).id, 'trust');
  await goesOn(talk);
  const unknown = await askedLogin(newPerson());
  await questionAbout(daemon, server.address.ipv4, uid);
  await talk.hangUp();
  await daemon.stop();
  assert.equal((await unknown.reply()).code, 421);
  daemon = await startDaemon(lab, 'show-5', config());
  await goesOn(await askedLogin(personOf(known)));
  await noQuestion();
  await askedLogin(personOf(uid));
  await questionAbout(daemon, server.address.ipv4, uid);
});
