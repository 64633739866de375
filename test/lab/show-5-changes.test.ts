// Servers that are not what they were (the Show 5): another key, or no encryption any more; and servers that never had
// any, under each policy. What counts is what the server's own log holds.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import type { ServerAddress } from './harness/network.js';
import { vsftpd, vsftpdPlain, vsftpdTls } from './servers/vsftpd.js';
import { keys, place, questionAbout, questions, sessions, status } from './show/ground.js';
import { Talker } from './show/talker.js';
import { Talks } from './show/talks.js';

const policies = ['allow', 'warn', 'ask', 'refuse'] as const;
type Policy = (typeof policies)[number];

let lab: Lab;
let daemon: Daemon;
let person: Talker;
let places: Readonly<Record<Policy, ServerAddress>>;
let talks: Talks;

before(async () => {
  lab = await openLab();
  const next = () => lab.network.nextAddress();
  places = { allow: next(), warn: next(), ask: next(), refuse: next() };
  const hosts = policies.map(
    (policy) => `[[host]]\nmatch = "${places[policy].ipv4}"\nfallback = { cleartext = "${policy}" }\n`,
  );
  daemon = await startDaemon(
    lab,
    'show-5c',
    `[trust]\nunknown = "accept-new"\nstore = "file"\n${hosts.join('')}`,
  );
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  talks = new Talks(person);
});

afterEach(() => talks.hangUp());

after(async () => {
  await person.stop();
  await daemon.stop();
  await lab.close();
});

/** One line with 421 and the end, and no USER at the server. Returns the line. */
async function refused(server: LabServer, user: string = login.user): Promise<string> {
  const talk = await talks.open(server);
  const reply = await talk.command(`USER ${user}`);
  assert.equal(reply.code, 421, reply.text);
  assert.equal(reply.text.includes('\n'), false, 'one line');
  assert.deepEqual(await talk.reply(), { code: 0, text: '', end: 'eof' });
  assert.doesNotMatch(server.log(), /"USER /);
  return reply.text;
}

/** What a person is asked about a server now: the concern of each question, and how many sessions were refused for it. */
async function standing(address: string): Promise<readonly (readonly [string, number])[]> {
  const open = await questions(daemon, clientUid);
  return open
    .filter(({ connection }) => connection.server.address === address)
    .map(({ concern, refused: count }) => [concern.kind, count]);
}

async function answerByName(address: string, typed: string): Promise<number> {
  const { id } = await questionAbout(daemon, address);
  return (await daemon.cli(['prompts', '--answer', id, typed], clientUid)).code;
}

test('another key: 421 with both ways out in one line, and nothing was sent to it (T20)', async () => {
  const first = await lab.server(vsftpdTls);
  await talks.logIn(first);
  await first.stop();
  const second = await lab.server(vsftpdTls, { address: first.address });
  const line = await refused(second);
  assert.match(line, /changed its key/);
  const advice = `keys add ${second.address.ipv4} ${second.certificate.fingerprint}`;
  assert.ok(line.includes(advice), line);
  const kept = (await keys(daemon, clientUid)).keys.filter((pin) => pin.address === first.address.ipv4);
  assert.deepEqual(
    kept.map((pin) => pin.fingerprint),
    [first.certificate.fingerprint],
  );
  assert.deepEqual(await standing(first.address.ipv4), [['changed', 1]]);
  // The advice works as it stands there; and the old key stays good, for a server that goes back to it.
  assert.equal((await daemon.cli(advice.split(' '), clientUid)).code, 0);
  await talks.logIn(second);
  await second.stop();
  await talks.logIn(await lab.server(vsftpdTls, { address: first.address, certificate: first.certificate }));
});

test('another key: the person types the server’s address in answer, and the next login goes through', async () => {
  const first = await lab.server(vsftpdTls);
  await talks.logIn(first);
  await first.stop();
  const second = await lab.server(vsftpdTls, { address: first.address });
  await refused(second);
  await refused(second);
  assert.deepEqual(await standing(first.address.ipv4), [['changed', 2]]);
  for (const no of ['trust', 'once', 'localhost'])
    assert.notEqual(await answerByName(first.address.ipv4, no), 0, no);
  await refused(second);
  assert.equal(await answerByName(first.address.ipv4, first.address.ipv4), 0);
  await talks.logIn(second);
  const kept = (await keys(daemon, clientUid)).keys.filter((pin) => pin.address === first.address.ipv4);
  assert.deepEqual(
    kept.map((pin) => pin.fingerprint),
    [second.certificate.fingerprint],
    'the new key took the old one’s place',
  );
});

test('a server that stops offering AUTH: allowed by its typed address, for the next login', async () => {
  const secured = await lab.server(vsftpdTls);
  await talks.logIn(secured);
  await secured.stop();
  const plain = await lab.server(vsftpdPlain, { address: secured.address });
  await refused(plain);
  assert.deepEqual(await standing(secured.address.ipv4), [['downgraded', 1]]);
  assert.notEqual(await answerByName(secured.address.ipv4, 'trust'), 0);
  await refused(plain);
  assert.equal(await answerByName(secured.address.ipv4, secured.address.ipv4), 0);
  await talks.logIn(plain);
});

test('the same key at another address is the same server (T20)', async () => {
  const first = await lab.server(vsftpdTls);
  await talks.logIn(first);
  await talks.logIn(await lab.server(vsftpdTls, { certificate: first.certificate }));
  await talks.logIn(first, 'ipv6');
  const log = (await daemon.cli(['log'])).stdout;
  assert.match(log, /key accepted.*replicated/);
});

test('a server that stops offering AUTH is refused, also to a login without password, until it is forgotten (T08)', async () => {
  const secured = await lab.server(vsftpdTls);
  await talks.logIn(secured);
  await secured.stop();
  const plain = await lab.server(vsftpdPlain, { address: secured.address });
  assert.match(await refused(plain), /was encrypted before and now offers no encryption/);
  await refused(plain, 'anonymous');
  const removed = await daemon.cli(['keys', 'remove', secured.address.ipv4], clientUid);
  assert.match(removed.stdout, /Forgotten/);
  await talks.logIn(plain);
});

test('a key that was added by hand alone makes cleartext an attack too', async () => {
  const plain = await lab.server(vsftpdPlain);
  await daemon.json(['keys', 'add', plain.address.ipv4, plain.certificate.fingerprint], clientUid);
  assert.match(await refused(plain), /was encrypted before/);
});

test('cleartext = allow: goes on without a warning', async () => {
  const server = await lab.server(vsftpdPlain, { address: places.allow });
  place(server, 'file.bin', content(1000));
  const talk = await talks.logIn(server);
  assert.equal((await talk.fetch('EPSV', 'RETR file.bin')).final.code, 226);
  assert.equal((await talk.fetch('PORT', 'RETR file.bin')).final.code, 226);
  const [shown] = await sessions(daemon, clientUid);
  assert.equal(shown?.state.protection, 'cleartext');
  assert.equal(shown.state.warning, undefined);
});

test('cleartext = warn: goes on, and status, sessions and log say so', async () => {
  const server = await lab.server(vsftpdPlain, { address: places.warn });
  await talks.logIn(server);
  const [shown] = await sessions(daemon, clientUid);
  assert.equal(shown?.state.protection, 'cleartext');
  assert.match(shown.state.warning ?? '', /not encrypted/);
  assert.match((await daemon.cli(['sessions'], clientUid)).stdout, /NOT ENCRYPTED/);
  const told = await status(daemon, clientUid);
  assert.equal(told.sessions.cleartext, 1);
  assert.match(told.warnings.join('\n'), new RegExp(places.warn.ipv4.replaceAll('.', '\\.')));
  assert.match((await daemon.cli(['status'], clientUid)).stdout, /Warning +Not encrypted/);
  assert.match((await daemon.cli(['log'])).stdout, /warn +not encrypted: 10\.22/);
});

test('cleartext = ask: no refuses, yes is remembered', async () => {
  const server = await lab.server(vsftpdPlain, { address: places.ask });
  for (const [answer, code] of [
    ['refuse', 421],
    ['trust', 331],
  ] as const) {
    const talk = await talks.open(server);
    await talk.say(`USER ${login.user}`);
    const question = await questionAbout(daemon, places.ask.ipv4);
    assert.equal(question.question.kind, 'cleartext');
    assert.doesNotMatch(server.log(), /"USER /);
    assert.equal((await daemon.cli(['prompts', '--answer', question.id, answer], clientUid)).code, 0);
    assert.equal((await talk.reply()).code, code);
  }
  await talks.logIn(server);
  assert.deepEqual(await standing(places.ask.ipv4), []);
  const [shown] = await sessions(daemon, clientUid);
  assert.match(shown?.state.warning ?? '', /not encrypted/, 'a yes is no reason to keep quiet');
  assert.match((await daemon.cli(['keys', 'list'], clientUid)).stdout, /CLEARTEXT/);
});

test('cleartext = refuse: 421, and no USER at the server', async () => {
  const server = await lab.server(vsftpdPlain, { address: places.refuse });
  assert.match(await refused(server), /fallback\.cleartext/);
});

test('anonymous logins go on without a warning; a login with a password in the same session gets one', async () => {
  const root = path.join(lab.folder, 'anonymous');
  mkdirSync(root);
  chownSync(root, 0, 0);
  const kind = vsftpd('plain-anonymous', 'vsftpd without TLS, for anyone', false, [
    'anonymous_enable=YES',
    `ftp_username=${login.user}`,
    `anon_root=${root}`,
  ]);
  const server = await lab.server(kind);
  const talk = await talks.open(server);
  await talk.expect(331, 'USER anonymous');
  await talk.expect(230, 'PASS guest@');
  const [shown] = await sessions(daemon, clientUid);
  assert.equal(shown?.state.protection, 'cleartext');
  assert.equal(shown.state.warning, undefined);
  const another = await talks.open(server);
  await another.expect(331, 'USER anonymous');
  await another.expect(331, `USER ${login.user}`);
  const warned = (await sessions(daemon, clientUid)).filter(({ state }) => state.warning !== undefined);
  assert.equal(warned.length, 1);
});
