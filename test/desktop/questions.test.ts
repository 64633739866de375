// First contact on a desktop (Show 1 and 5): a program connects, the question appears in the tray and as a notification, and the
// person's click decides about that same session; nobody else's tray sees it.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { login, serverUid } from '../lab/harness/account.js';
import { start, waitFor, type Running } from '../lab/harness/command.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import type { LabServer } from '../lab/harness/server.js';
import { vsftpdTls } from '../lab/servers/vsftpd.js';
import { keys, place, questions } from '../lab/show/ground.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { openPerson, type Person } from './harness/person.js';
import { TrayProcess } from './harness/tray-process.js';

const account = `${login.user}:${login.password}`;
const ftplib = `
import ftplib, sys
ftp = ftplib.FTP(sys.argv[1], timeout=60)
ftp.login(sys.argv[2], sys.argv[3])
print(ftp.pwd())
`;

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let impatient: LabServer;
let uid = serverUid + 400;
const people: Person[] = [];

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  impatient = await lab.server(vsftpdTls);
  place(server, 'hello.txt', Buffer.from('hello'));
  daemon = await startDaemon(lab, 'desktop', config());
});

afterEach(async () => {
  for (const person of people.splice(0)) await person.close();
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
async function newPerson(): Promise<Person> {
  uid += 1;
  const person = await openPerson(lab, daemon, uid);
  people.push(person);
  return person;
}

/** A login that waits for the person. */
async function askedLogin(person: Person, at = server): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person.talker, at.address.ipv4);
  await talk.say(`USER ${login.user}`);
  return talk;
}

function program(person: Person, argv: readonly string[]): Running {
  return start({ namespace: lab.network.pc, uid: person.uid }, argv);
}

async function goesOn(talk: FtpTalk): Promise<void> {
  const asked = await talk.reply();
  assert.equal(asked.code, 331, asked.text);
  await talk.expect(230, `PASS ${login.password}`);
}

async function refused(talk: FtpTalk): Promise<string> {
  const reply = await talk.reply();
  assert.equal(reply.code, 421, reply.text);
  return reply.text;
}

/** The question's page, as a click on its entry in the tray menu opens it. */
async function questionPage(person: Person): Promise<Page> {
  const before = person.tray.opened();
  await person.desk.click(/^New server/);
  const page = await person.open(await person.tray.nextPage(before));
  await page.getByRole('button', { name: 'Refuse' }).waitFor();
  return page;
}

async function answer(page: Page, name: 'Trust always' | 'Trust this time' | 'Refuse'): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}

async function takenBack(person: Person): Promise<void> {
  await waitFor('the notifications to be taken back', async () =>
    (await person.desk.notified()).every(({ closed }) => closed),
  );
}

async function seesNothing(person: Person): Promise<void> {
  assert.deepEqual(
    (await person.desk.menu()).filter(({ label }) => label.includes('server')),
    [],
  );
  assert.deepEqual(await person.desk.notified(), []);
  assert.deepEqual(await questions(daemon, person.uid), []);
}

test('the question appears in menu and notification, and a click on Trust lets that same session go on', async () => {
  const person = await newPerson();
  const other = await newPerson();
  const asked = performance.now();
  const talk = await askedLogin(person);
  await person.desk.notification(/^New server 10\./);
  const notified = performance.now();
  const notifiedAt = Date.now();
  const entry = await person.desk.entry(/^New server 10\.[0-9.]+ \(python3/);
  assert.equal(entry.enabled, true);
  const [question] = await questions(daemon, person.uid);
  assert.match((await person.desk.item()).title, /A server waits for your answer/);
  await seesNothing(other);
  const clicked = performance.now();
  const page = await questionPage(person);
  const shown = performance.now();
  const text = await page.locator('main').innerText();
  for (const group of server.certificate.fingerprint.slice('SHA256:'.length).match(/.{1,4}/g) ?? [])
    assert.ok(text.includes(group), `the page shows ${group}`);
  assert.match(text, /python3/);
  await page.getByRole('button', { name: 'Trust always' }).isEnabled();
  await page.waitForTimeout(1000);
  const trusted = performance.now();
  await answer(page, 'Trust always');
  await goesOn(talk);
  const replied = performance.now();
  console.log(
    `USER to notification ${(notified - asked).toFixed(0)} ms; certificate judged to notification ${notifiedAt - (question?.openedAt ?? 0)} ms;`,
    `click in the menu to the question on screen ${(shown - clicked).toFixed(0)} ms (browser's start included); click on Trust to the client's login ${(replied - trusted).toFixed(0)} ms`,
  );
  assert.deepEqual(
    (await keys(daemon, person.uid)).keys.map((pin) => pin.fingerprint),
    [server.certificate.fingerprint],
  );
  await takenBack(person);
  await person.desk.entry(/1 session secured/);
  await person.desk.entry(/^10\.[0-9.]+: encrypted/);
  await goesOn(await askedLogin(person));
  await seesNothing(other);
});

test('curl and ftplib wait for the person and do not notice', async () => {
  for (const argv of [
    ['curl', '-sS', '--user', account, `ftp://${server.address.ipv4}/hello.txt`],
    ['/usr/bin/python3', '-c', ftplib, server.address.ipv4, login.user, login.password],
  ]) {
    const person = await newPerson();
    const running = program(person, argv);
    const page = await questionPage(person);
    await answer(page, 'Trust this time');
    assert.equal(await running.ended, 0, running.stderr());
    assert.match(running.stdout(), /^(?:hello|\/)/);
    assert.deepEqual((await keys(daemon, person.uid)).keys, []);
  }
});

test('Refuse, on the page and on the notification, gives the client its 421', async () => {
  const person = await newPerson();
  const first = await askedLogin(person);
  await answer(await questionPage(person), 'Refuse');
  assert.match(await refused(first), /refused by you/);
  await takenBack(person);
  const second = await askedLogin(person);
  const { number, actions } = await person.desk.notification(/^New server/);
  assert.equal(
    actions.some((action) => /trust/i.test(action)),
    false,
    'trust is not offered there',
  );
  await person.desk.invoke(number, 'refuse');
  assert.match(await refused(second), /refused by you/);
  assert.deepEqual((await keys(daemon, person.uid)).keys, []);
});

test('Details on the notification opens the question', async () => {
  const person = await newPerson();
  await askedLogin(person);
  const before = person.tray.opened();
  const { number } = await person.desk.notification(/^New server/);
  await person.desk.invoke(number, 'details');
  const page = await person.open(await person.tray.nextPage(before));
  await page.getByRole('heading', { name: 'A new server' }).waitFor();
});

test('so does a click that comes with the notification itself', async () => {
  const person = await newPerson();
  await person.desk.isEagerFor('details');
  const before = person.tray.opened();
  await askedLogin(person);
  await person.tray.nextPage(before);
});

test('the right fingerprint, pasted, trusts; a wrong one trusts nothing', async () => {
  const person = await newPerson();
  const talk = await askedLogin(person);
  const page = await questionPage(person);
  const paste = async (text: string): Promise<void> => {
    await page.getByLabel(/Fingerprint/).fill(text);
    await page.getByRole('button', { name: 'Compare and trust' }).click();
  };
  await paste(impatient.certificate.fingerprint);
  await page
    .getByRole('alert')
    .filter({ hasText: /not match|does not/ })
    .waitFor();
  assert.equal((await questions(daemon, person.uid)).length, 1, 'still open');
  assert.deepEqual((await keys(daemon, person.uid)).keys, []);
  await paste(server.certificate.fingerprint);
  await goesOn(talk);
  assert.equal((await keys(daemon, person.uid)).keys.length, 1);
});

test('fifty sessions that wait are one question', async () => {
  const person = await newPerson();
  const talks = await Promise.all(Array.from({ length: 50 }, () => askedLogin(person)));
  await person.desk.entry(/^New server .*50 sessions wait/);
  const menu = await person.desk.menu();
  assert.equal(menu.filter(({ label }) => label.startsWith('New server')).length, 1);
  assert.equal((await person.desk.notified()).length, 1);
  await answer(await questionPage(person), 'Trust this time');
  await Promise.all(talks.map(goesOn));
});

test('many servers at once: three notifications and one for the rest, six entries and one for the rest', async () => {
  const person = await newPerson();
  const servers = await Promise.all(Array.from({ length: 8 }, () => lab.server(vsftpdTls)));
  await Promise.all(servers.map((one) => askedLogin(person, one)));
  await person.desk.notification(/^5 more servers wait$/);
  const menu = await person.desk.menu();
  assert.equal(menu.filter(({ label }) => label.startsWith('New server')).length, 6);
  assert.ok(menu.some(({ label }) => label === '2 more…'));
  assert.equal((await person.desk.notified()).filter(({ closed }) => !closed).length, 4);
  assert.match((await person.desk.item()).title, /8 servers wait for your answer/);
  const opened = person.tray.opened();
  await person.desk.invoke((await person.desk.notification(/more servers/)).number, 'details');
  const page = await person.open(await person.tray.nextPage(opened));
  await page.getByRole('heading', { name: 'Now' }).waitFor();
});

test('an answer that comes too late for the client counts for its next try', async () => {
  const person = await newPerson();
  const line = await refused(await askedLogin(person, impatient));
  assert.match(line, /answer the question/);
  const page = await questionPage(person);
  assert.match(await page.locator('main').innerText(), /next/);
  await answer(page, 'Trust this time');
  await waitFor('the answer', async () => (await questions(daemon, person.uid)).length === 0);
  await goesOn(await askedLogin(person, impatient));
});

test('a tray that is killed in mid-question: the session waits on, and the next tray shows the question', async () => {
  const person = await newPerson();
  const talk = await askedLogin(person);
  await person.desk.entry(/^New server/);
  person.tray.running.child.kill('SIGKILL');
  await person.tray.running.ended;
  const tray = new TrayProcess(person.session, daemon);
  await person.desk.entry(/^New server/);
  const before = tray.opened();
  await person.desk.click(/^New server/);
  const page = await person.open(await tray.nextPage(before));
  await answer(page, 'Trust this time');
  await goesOn(talk);
});

test('a daemon that restarts: the tray says so, comes back by itself and shows the next question', async () => {
  const person = await newPerson();
  const talk = await askedLogin(person);
  await person.desk.entry(/^New server/);
  await daemon.stop();
  assert.equal((await talk.reply()).code, 421);
  await person.desk.entry(/does not run: FTP is not encrypted/);
  await takenBack(person);
  daemon = await startDaemon(lab, 'desktop', config());
  await person.desk.entry(/No FTP session now/);
  const again = await askedLogin(person);
  await answer(await questionPage(person), 'Trust this time');
  await goesOn(again);
});
