// Keys in people's keychains, end to end: real FTP servers and clients, the daemon, an agent and a gnome-keyring for each person.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { login } from '../lab/harness/account.js';
import { run, waitFor } from '../lab/harness/command.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import type { LabServer } from '../lab/harness/server.js';
import { proftpd13 } from '../lab/servers/proftpd.js';
import { vsftpdTls } from '../lab/servers/vsftpd.js';
import { keys, questionAbout, questions, status } from '../lab/show/ground.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { Talker } from '../lab/show/talker.js';
import type { VaultRecord } from '../../shared/agent-messages.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import { at, pin } from '../daemon/trust/fixture.js';
import { AgentProcess } from './harness/agent-process.js';
import { HostileAgent, registerAsRoot } from './harness/hostile-agent.js';
import { DesktopSession } from './harness/keyring.js';
import { TrayProcess } from './harness/tray-process.js';

const config = '[trust]\nunknown = "ask"\nstore = "keychain"\n';

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let other: LabServer;
let uid = 30400;
const people: { leave(): Promise<void> }[] = [];

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  other = await lab.server(proftpd13);
  daemon = await startDaemon(lab, 'keychain', config);
});

afterEach(async () => {
  for (const person of people.splice(0)) await person.leave();
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

/** Somebody with FTP programs, perhaps with a desktop session, and perhaps with an agent in it. */
class Person {
  readonly uid: number;
  readonly talker: Talker;
  session: DesktopSession | undefined;
  agent: AgentProcess | undefined;

  constructor() {
    uid += 1;
    this.uid = uid;
    this.talker = new Talker({ namespace: lab.network.pc, uid });
    people.push(this);
  }

  get desktop(): DesktopSession {
    assert.ok(this.session !== undefined);
    return this.session;
  }

  async logIn(how: 'with agent' | 'without agent' = 'with agent'): Promise<void> {
    this.session = await DesktopSession.open({ folder: lab.folder, uid: this.uid });
    await this.session.startKeyring();
    if (how === 'with agent') await this.startAgent();
  }

  async startAgent(vault = 'ready'): Promise<AgentProcess> {
    this.agent = new AgentProcess(this.desktop, daemon);
    await this.agent.connected(vault);
    return this.agent;
  }

  /** A login is on its way to the server. */
  async begins(at = server): Promise<FtpTalk> {
    const talk = await FtpTalk.open(this.talker, at.address.ipv4);
    await talk.say(`USER ${login.user}`);
    return talk;
  }

  /** A session that nobody is asked about. */
  async isSilent(at = server): Promise<void> {
    await goesOn(await this.begins(at));
    assert.deepEqual(await questions(daemon, this.uid), []);
  }

  async trusts(at = server): Promise<void> {
    const talk = await this.begins(at);
    await this.answers('trust', at);
    await goesOn(talk);
  }

  async answers(answer: string, at = server): Promise<{ readonly code: number; readonly stderr: string }> {
    const { id } = await questionAbout(daemon, at.address.ipv4, this.uid);
    return daemon.cli(['prompts', '--answer', id, answer], this.uid);
  }

  async leave(): Promise<void> {
    await this.talker.stop();
    await this.session?.close();
  }
}

async function goesOn(talk: FtpTalk): Promise<void> {
  const asked = await talk.reply();
  assert.equal(asked.code, 331, asked.text);
  await talk.expect(230, `PASS ${login.password}`);
}

/** One line with 421 and these words, then the end. Returns how long it took. */
async function isRefused(talk: FtpTalk, words: RegExp): Promise<number> {
  const began = Date.now();
  const reply = await talk.reply();
  assert.equal(reply.code, 421, reply.text);
  assert.match(reply.text, words);
  assert.match(reply.text, /^[\x20-\x7e]{1,320}$/);
  assert.deepEqual(await talk.reply(), { code: 0, text: '', end: 'eof' });
  return Date.now() - began;
}

function pinnedKey(at: LabServer): KeyFingerprint {
  const fingerprint = parseFingerprint(at.certificate.fingerprint);
  assert.ok(fingerprint !== undefined);
  return fingerprint;
}

function keyFile(): string {
  return readFileSync(path.join(daemon.folder, 'state', 'keys.json'), 'utf8');
}

test('an answer is in the keychain before the session goes on; after restarts of everything the next session is silent', async (t) => {
  const person = new Person();
  await person.logIn();
  const talk = await person.begins();
  await person.agent?.until('its question', ({ questions: [first] }) => first === server.address.ipv4);
  assert.equal((await person.answers('trust')).code, 0);
  const seen = await person.desktop.secrets();
  assert.match(seen, new RegExp(`username = key ${server.address.ipv4.replaceAll('.', '\\.')}:21 SHA256:`));
  assert.match(seen, new RegExp(`"fingerprint":"${server.certificate.fingerprint.replaceAll('+', '\\+')}"`));
  await goesOn(talk);
  assert.doesNotMatch(keyFile(), /"fingerprint"/);
  await person.isSilent();
  await daemon.stop();
  daemon = await startDaemon(lab, 'keychain', config);
  const began = Date.now();
  await person.isSilent();
  t.diagnostic(`first session after the daemon's restart: ${Date.now() - began} ms`);
  await person.desktop.stopKeyring();
  await person.agent?.connected('absent');
  await person.desktop.startKeyring();
  await person.agent?.connected();
  await person.isSilent();
  await person.agent?.kill();
  await person.startAgent();
  await person.isSilent();
});

test('locked: curl gets its sentence within the bound; unlocked: the next try works', async (t) => {
  const person = new Person();
  await person.logIn();
  await person.trusts();
  await person.desktop.lock();
  await person.agent?.connected('locked');
  const url = `ftp://${server.address.ipv4}/`;
  const curl = [
    'curl',
    '--no-progress-meter',
    '--verbose',
    '--max-time',
    '30',
    '--user',
    `${login.user}:${login.password}`,
    url,
  ];
  const place = { namespace: lab.network.pc, uid: person.uid };
  const began = Date.now();
  const refused = await run(place, curl);
  t.diagnostic(`curl has its refusal after ${Date.now() - began} ms`);
  assert.notEqual(refused.code, 0);
  assert.match(
    refused.stderr,
    /421 ftpseal: Your keys are in your keychain, and it is locked\. Nothing was sent\. Unlock it/,
  );
  const listed = await daemon.cli(['keys', 'list'], person.uid);
  assert.match(listed.stderr, /it is locked/);
  await isRefused(await person.begins(other), /locked/);
  assert.match((await status(daemon, person.uid)).warnings.join(), /it is locked/);
  await person.desktop.unlock();
  await person.agent?.connected();
  const listing = await run(place, curl);
  assert.equal(listing.code, 0, listing.stderr);
});

test('locked while the person thinks: the answer is refused and can be given again, and that session goes on', async () => {
  const person = new Person();
  await person.logIn();
  const talk = await person.begins();
  await questionAbout(daemon, server.address.ipv4, person.uid);
  await person.desktop.lock();
  const tried = await person.answers('trust');
  assert.equal(tried.code, 1);
  assert.match(tried.stderr, /locked/);
  await person.desktop.unlock();
  await person.agent?.connected();
  assert.equal((await person.answers('trust')).code, 0);
  await goesOn(talk);
});

test('a keychain that hangs: the sentence within the bound, others go on meanwhile, and it works again afterwards', async (t) => {
  const person = new Person();
  const neighbour = new Person();
  await person.logIn();
  await neighbour.logIn();
  await neighbour.trusts();
  const talk = await person.begins();
  const { id } = await questionAbout(daemon, server.address.ipv4, person.uid);
  person.desktop.signalKeyring('SIGSTOP');
  const answered = daemon.cli(['prompts', '--answer', id, 'trust'], person.uid);
  await neighbour.isSilent();
  const { code, stderr } = await answered;
  assert.equal(code, 1);
  assert.match(stderr, /does not answer/);
  const ms = await isRefused(await person.begins(other), /does not answer/);
  t.diagnostic(`the refusal came after ${ms} ms`);
  person.desktop.signalKeyring('SIGCONT');
  await person.agent?.connected();
  assert.equal((await person.answers('trust')).code, 0);
  await goesOn(talk);
});

test('several people at once: each has own keys, and nobody’s trouble is another’s', async () => {
  const [locked, fine, without, killed] = [new Person(), new Person(), new Person(), new Person()];
  await Promise.all([locked.logIn(), fine.logIn(), killed.logIn()]);
  await Promise.all([locked, fine, without, killed].map((person) => person.trusts()));
  await locked.desktop.lock();
  await locked.agent?.connected('locked');
  await killed.agent?.kill();
  const stuck = [
    isRefused(await locked.begins(), /locked/),
    isRefused(await killed.begins(), /ftpseal tray/),
  ];
  await Promise.all([fine.isSilent(), without.isSilent(), ...stuck]);
  for (const person of [fine, without]) {
    const { keys: own } = await keys(daemon, person.uid);
    assert.deepEqual(
      own.map((pin) => pin.owner),
      [{ kind: 'user', uid: person.uid }],
    );
  }
  const asked = await fine.begins(other);
  await questionAbout(daemon, other.address.ipv4, fine.uid);
  for (const person of [locked, without, killed]) {
    assert.deepEqual(await questions(daemon, person.uid), []);
    const states = person.agent?.seen() ?? [];
    assert.ok(states.every((state) => !state.questions.includes(other.address.ipv4)));
  }
  assert.equal((await fine.answers('trust', other)).code, 0);
  await goesOn(asked);
  assert.doesNotMatch(await locked.desktop.secrets(), new RegExp(other.address.ipv4));
  const removed = await daemon.cli(['keys', 'remove', server.address.ipv4]);
  assert.equal(removed.code, 1);
  assert.match(removed.stderr, /users whose keychains can.t be used now/);
  const left = (await keys(daemon, fine.uid)).keys.map((pin) => pin.address);
  assert.deepEqual(left, [other.address.ipv4], 'root reaches those that can be used');
  await locked.desktop.unlock();
  await locked.agent?.connected();
  await locked.isSilent();
});

test('an agent killed in mid-question: the session waits on, and the next agent’s answer lets it go on', async () => {
  const person = new Person();
  await person.logIn();
  const talk = await person.begins();
  await questionAbout(daemon, server.address.ipv4, person.uid);
  await person.agent?.kill();
  const tried = await person.answers('trust');
  assert.equal(tried.code, 1);
  assert.match(tried.stderr, /ftpseal tray/);
  const agent = await person.startAgent();
  await agent.until('the question again', ({ questions: [first] }) => first === server.address.ipv4);
  assert.equal((await person.answers('trust')).code, 0);
  await goesOn(talk);
});

test('an agent that lies, floods or falls silent harms its own user’s sessions and nobody else’s', async () => {
  const victim = new Person();
  await victim.logIn();
  await victim.trusts();
  const stolen = { kind: 'user', uid: victim.uid } as const;
  const forged: VaultRecord[] = [stolen, { kind: 'machine' } as const].map((owner) => ({
    kind: 'pin',
    record: pin({ owner, ...at(other.address.ipv4), fingerprint: pinnedKey(other), revoked: true }),
  }));
  for (const trick of ['forged', 'huge', 'silent', 'garbage', 'endless'] as const) {
    const attacker = new Person();
    const agent = new HostileAgent(attacker.uid, path.join(daemon.folder, 'run'), trick, forged);
    people.push(agent);
    await agent.asked();
    await victim.isSilent();
    assert.equal((await keys(daemon, victim.uid)).keys.length, 1, trick);
    // None of them brought a keychain that could be used, or one with records of their own: they are asked, as before.
    const talk = await attacker.begins(other);
    await questionAbout(daemon, other.address.ipv4, attacker.uid);
    await talk.hangUp();
  }
  assert.match(daemon.log(), /dropped.*foreign=2/);
  const asked = await victim.begins(other);
  const { question } = await questionAbout(daemon, other.address.ipv4, victim.uid);
  assert.equal(question.kind, 'key', 'not revoked');
  await victim.answers('trust', other);
  await goesOn(asked);
});

test('root can be nobody’s agent', async () => {
  assert.match(await registerAsRoot(path.join(daemon.folder, 'run')), /"code":"not-permitted"/);
});

test('of two agents the one that stays takes over', async () => {
  const person = new Person();
  await person.logIn();
  await person.trusts();
  const first = person.agent;
  await person.startAgent();
  await person.isSilent();
  await person.agent?.kill();
  await person.isSilent();
  await first?.kill();
  await isRefused(await person.begins(), /ftpseal tray/);
});

test('keys of a person without agent are in the file, move into the keychain with the first one, and come back by export', async () => {
  const person = new Person();
  await person.trusts();
  const revoked = `SHA256:${Buffer.alloc(32, 'r').toString('base64').slice(0, 43)}`;
  await daemon.json(
    ['keys', 'add', '192.0.2.77', revoked, '--revoked', '--comment', 'never again'],
    person.uid,
  );
  const before = (await keys(daemon, person.uid)).keys;
  assert.equal(before.length, 2);
  assert.match(keyFile(), /never again/);
  await person.logIn();
  await waitFor('the file to be empty of them', () => !keyFile().includes('never again'));
  assert.deepEqual((await keys(daemon, person.uid)).keys, before);
  assert.match(await person.desktop.secrets(), /never again/);
  await person.isSilent();
  const exported = path.join(person.desktop.home, 'keys.json');
  assert.equal((await daemon.cli(['keys', 'export', exported], person.uid)).code, 0);
  const moved = (await keys(daemon, person.uid)).keys;
  // Another machine, without a desktop.
  const plain = await startDaemon(lab, 'plain', config.replace('keychain', 'file'), {
    namespace: lab.network.srv,
  });
  try {
    assert.equal((await plain.cli(['keys', 'import', exported], person.uid)).code, 0);
    assert.deepEqual((await keys(plain, person.uid)).keys, moved);
    const back = await plain.cli(['keys', 'export'], person.uid);
    assert.deepEqual(JSON.parse(back.stdout), JSON.parse(readFileSync(exported, 'utf8')));
  } finally {
    await plain.stop();
  }
  await daemon.json(['keys', 'remove', server.address.ipv4], person.uid);
  assert.doesNotMatch(await person.desktop.secrets(), new RegExp(`key ${server.address.ipv4}`));
  await daemon.json(['keys', 'import', exported], person.uid);
  assert.deepEqual((await keys(daemon, person.uid)).keys.length, 2);
  assert.match(await person.desktop.secrets(), new RegExp(`key ${server.address.ipv4}`));
  await person.isSilent();
});

test('ftpseal tray is such an agent', async () => {
  const person = new Person();
  await person.trusts();
  const ownKeys = `"uid": ${person.uid}`;
  assert.ok(keyFile().includes(ownKeys));
  await person.logIn('without agent');
  const tray = new TrayProcess(person.desktop, daemon);
  await waitFor(
    () => `the keys to leave the file; the tray said: ${tray.said()}`,
    async () =>
      (await person.desktop.secret(`key ${server.address.ipv4}:21 ${server.certificate.fingerprint}`)) !== '',
  );
  await person.isSilent();
  await person.desktop.lock();
  await waitFor(
    'the daemon to hear of the lock',
    async () => (await status(daemon, person.uid)).warnings.length > 0,
  );
  await isRefused(await person.begins(), /it is locked/);
  await person.desktop.unlock();
  await waitFor(
    'the daemon to hear of the key',
    async () => (await status(daemon, person.uid)).warnings.length === 0,
  );
  await person.isSilent();
  assert.equal(await tray.stop(), 0);
  await isRefused(await person.begins(), /ftpseal tray/);
});
