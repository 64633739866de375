// The tray as a program: one a user and never root, what it does where parts of a desktop are missing, and what its menu does.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { login, serverUid } from '../lab/harness/account.js';
import { sleep, waitFor } from '../lab/harness/command.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import type { LabServer } from '../lab/harness/server.js';
import { vsftpdTls } from '../lab/servers/vsftpd.js';
import { questions, status } from '../lab/show/ground.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { Desk } from './harness/desk.js';
import { DesktopSession } from './harness/keyring.js';
import { openPerson, type Person } from './harness/person.js';
import { Screen } from './harness/screen.js';
import { TrayProcess, type TrayOptions } from './harness/tray-process.js';

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let uid = serverUid + 550;
const people: (Person | DesktopSession)[] = [];

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  daemon = await startDaemon(lab, 'tray', '[trust]\nunknown = "ask"\nstore = "file"\n');
});

afterEach(async () => {
  for (const person of people.splice(0)) await person.close();
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

async function newPerson(options: TrayOptions = {}): Promise<Person> {
  uid += 1;
  const person = await openPerson(lab, daemon, uid, options);
  people.push(person);
  return person;
}

async function newSession(): Promise<DesktopSession> {
  uid += 1;
  const session = await DesktopSession.open({ folder: lab.folder, uid });
  people.push(session);
  return session;
}

async function askedLogin(person: Person): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person.talker, server.address.ipv4);
  await talk.say(`USER ${login.user}`);
  await person.desk.entry(/^New server/);
  return talk;
}

test('root gets a sentence and no tray', async () => {
  for (const command of ['tray', 'manager']) {
    const tried = await daemon.cli([command]);
    assert.equal(tried.code, 4, tried.stderr);
    assert.match(tried.stderr, /does not run as root\. Start it as the user/);
  }
});

test('one tray a user; a second user has one too; the manager opens in the one that runs', async () => {
  const person = await newPerson();
  const second = new TrayProcess(person.session, daemon);
  assert.equal(await second.running.ended, 2);
  assert.match(second.said(), /runs already/);
  await newPerson();
  const opened = person.tray.opened();
  const manager = new TrayProcess(person.session, daemon, { command: 'manager' });
  assert.equal(await manager.running.ended, 0, manager.said());
  const page = await person.open(await person.tray.nextPage(opened));
  await page.getByRole('heading', { name: 'Now' }).waitFor();
});

test('SIGTERM and Quit end it cleanly, and the icon goes', async () => {
  const person = await newPerson();
  assert.equal(await person.tray.stop(), 0, person.tray.said());
  await assert.rejects(person.desk.item(), /no tray item/);
  const again = new TrayProcess(person.session, daemon);
  await person.desk.click(/^Quit$/);
  assert.equal(await again.running.ended, 0, again.said());
  await assert.rejects(person.desk.item(), /no tray item/);
});

test('a tray that was killed leaves nothing that keeps the next one out', async () => {
  const person = await newPerson();
  person.tray.running.child.kill('SIGKILL');
  await person.tray.running.ended;
  const next = new TrayProcess(person.session, daemon);
  await person.desk.entry(/No FTP session now/);
  assert.equal(next.said(), '');
});

test('without a session bus: said once, and the manager works', async () => {
  const session = await newSession();
  const tray = new TrayProcess(session, daemon, {
    command: 'manager',
    env: { DBUS_SESSION_BUS_ADDRESS: '', XDG_RUNTIME_DIR: '' },
  });
  await tray.says(/no desktop session bus \(D-Bus\) here/);
  assert.match(await tray.nextPage([]), /^http:\/\/127\.0\.0\.1:\d+\/open\?token=/);
  await sleep(3000);
  assert.equal(tray.said().match(/session bus/g)?.length, 1, tray.said());
  assert.equal(await tray.stop(), 0);
});

test('a bus that dies and comes back', async () => {
  const session = await newSession();
  const tray = new TrayProcess(session, daemon);
  const first = new Desk(session, daemon.program);
  await first.entry(/No FTP session now/);
  await session.stopBus();
  await tray.says(/bus has gone/);
  await session.startBus();
  const second = new Desk(session, daemon.program);
  await second.entry(/No FTP session now/);
});

test('without a panel it says so; a panel that comes later, crashes and comes again shows the icon', async () => {
  const session = await newSession();
  const screen = await Screen.open(session, { panel: false });
  const tray = new TrayProcess(session, daemon, { env: screen.env });
  await tray.says(/shows no status icons now/);
  const registered = async (): Promise<boolean> => {
    const to = ['--dest=org.kde.StatusNotifierWatcher', '/StatusNotifierWatcher'];
    const get = ['org.freedesktop.DBus.Properties.Get', 'string:org.kde.StatusNotifierWatcher'];
    const ask = ['dbus-send', '--session', '--print-reply', ...to, ...get];
    const answer = await session.run([...ask, 'string:RegisteredStatusNotifierItems']);
    return answer.stdout.includes(`StatusNotifierItem-${tray.running.pid}-1`);
  };
  for (let time = 0; time < 2; time++) {
    await screen.startPanel();
    await waitFor('the icon in the panel', registered);
    await screen.stopPanel();
  }
});

test('without a browser the question comes as a dialog, and Enter decides nothing', async () => {
  const person = await newPerson();
  const screen = await Screen.open(person.session, { panel: false });
  await person.tray.stop();
  // Of a real desktop only what shows dialogs is there.
  const tools = path.join(person.session.home, 'dialog');
  await person.session.must(['mkdir', tools]);
  symlinkSync('/usr/bin/zenity', path.join(tools, 'zenity'));
  const tray = new TrayProcess(person.session, daemon, { env: screen.env, path: tools });
  const talk = await askedLogin(person);
  const window = async (): Promise<string> => {
    let id = '';
    await waitFor(
      () => `a dialog; the tray said: ${tray.said()}`,
      async () => {
        const found = await person.session.run(['env', `DISPLAY=${screen.display}`, ...search]);
        id = found.stdout.trim();
        return id !== '';
      },
    );
    await sleep(500);
    return id;
  };
  const search = ['xdotool', 'search', '--onlyvisible', '--name', '^ftpseal$'];
  await person.desk.click(/^New server/);
  await screen.run(['xdotool', 'windowfocus', '--sync', await window(), 'key', 'Return']);
  await waitFor('the dialog to close', async () => {
    const found = await person.session.run(['env', `DISPLAY=${screen.display}`, ...search]);
    return found.stdout === '';
  });
  await sleep(500);
  assert.equal((await questions(daemon, person.uid)).length, 1, 'nothing was decided');
  await person.desk.click(/^New server/);
  // From the button that decides nothing to the one that refuses.
  await screen.run(['xdotool', 'windowfocus', '--sync', await window(), 'key', 'Tab', 'Return']);
  assert.equal((await talk.reply()).code, 421);
});

test('notifications: a notifier that dies is said once, and the next one shows what is open', async () => {
  const person = await newPerson();
  await askedLogin(person);
  await person.desk.notification(/^New server/);
  await person.desk.stopsNotifying();
  await person.tray.says(/notifier has gone/);
  await person.desk.becomesNotifier();
  await person.desk.notification(/^New server/);
  assert.equal(person.tray.said().match(/notifier/g)?.length, 1, person.tray.said());
});

test('Start at login writes the person’s autostart file, and takes it away', async () => {
  const person = await newPerson();
  const file = path.join(person.session.home, '.config/autostart/ftpseal.desktop');
  assert.equal((await person.desk.entry(/Start at login/)).checked, 0);
  await person.desk.click(/Start at login/);
  await waitFor('the check mark', async () => (await person.desk.entry(/Start at login/)).checked === 1);
  const exec = /^Exec=(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  assert.match(exec, /"tray" "--runtime-dir"/);
  await person.desk.click(/Start at login/);
  await waitFor('no check mark', async () => (await person.desk.entry(/Start at login/)).checked === 0);
  assert.equal(existsSync(file), false);
});

test('Pause and Resume', async () => {
  const person = await newPerson();
  await person.desk.click(/^Pause for 15 minutes/);
  await person.desk.entry(/^Paused for 15 more min: not encrypted$/);
  assert.ok(((await status(daemon, person.uid)).pausedUntil ?? 0) > Date.now());
  const talk = await FtpTalk.open(person.talker, server.address.ipv4);
  assert.match((await talk.command(`USER ${login.user}`)).text, /^(?:530|331)/, 'the server itself answers');
  assert.deepEqual(await questions(daemon, person.uid), []);
  await person.desk.click(/^Resume/);
  await person.desk.entry(/^Pause for 15 minutes/);
  assert.equal((await status(daemon, person.uid)).pausedUntil, undefined);
  await askedLogin(person);
});

test('a click on an entry that has gone does nothing', async () => {
  const person = await newPerson();
  const talk = await askedLogin(person);
  const { id } = await person.desk.entry(/^New server/);
  const opened = person.tray.opened();
  await daemon.cli(
    ['prompts', '--answer', (await questions(daemon, person.uid))[0]?.id ?? '', 'refuse'],
    person.uid,
  );
  assert.equal((await talk.reply()).code, 421);
  await person.desk.entry(/No FTP session now/);
  await person.desk.clickNumber(id);
  await sleep(500);
  assert.deepEqual(person.tray.opened(), opened);
});

test('the question opens in a window of its own, in a profile that only the person can read', async () => {
  const person = await newPerson();
  const screen = await Screen.open(person.session, { panel: false });
  await person.tray.stop();
  const tray = new TrayProcess(person.session, daemon, { env: screen.env, path: '/usr/bin:/bin' });
  await askedLogin(person);
  await person.desk.click(/^New server/);
  const titles = async (): Promise<string> => {
    const search = ['xdotool', 'search', '--onlyvisible', '--name', 'A new server', 'getwindowname', '%@'];
    return (await person.session.run(['env', `DISPLAY=${screen.display}`, ...search])).stdout;
  };
  await waitFor(
    () => `a window with the question; the tray said: ${tray.said()}`,
    async () => (await titles()).includes('A new server'),
    30_000,
  );
  const profile = path.join(person.session.home, '.local/state/ftpseal/window');
  assert.equal(statSync(profile).mode & 0o777, 0o700);
  assert.equal(tray.said(), '');
});
