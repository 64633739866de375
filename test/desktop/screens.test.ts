// What a person sees in the panel (Show 3): the icon in each state with its menu, as a real panel draws it. FTPSEAL_SCREENS
// names the folder into which the pictures are taken anew; without it they have to be in docs/screens.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { login, serverUid } from '../lab/harness/account.js';
import { sleep } from '../lab/harness/command.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import { repository, type LabServer } from '../lab/harness/server.js';
import { vsftpdPlain, vsftpdTls } from '../lab/servers/vsftpd.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { openPerson, type Person } from './harness/person.js';
import { Screen, sizeOfPng } from './harness/screen.js';

const wanted = process.env['FTPSEAL_SCREENS'] !== undefined;
const folder = path.resolve(repository, process.env['FTPSEAL_SCREENS'] ?? 'docs/screens');
const states = ['idle', 'securing', 'question', 'cleartext', 'trouble'] as const;
const themes = ['light', 'dark'] as const;
type Theme = (typeof themes)[number];

let lab: Lab;
let daemon: Daemon;
const servers: { trusted?: LabServer; unknown?: LabServer; plain?: LabServer } = {};
let uid = serverUid + 700;

function serverOf(name: keyof typeof servers): LabServer {
  const server = servers[name];
  assert.ok(server);
  return server;
}

before(async () => {
  if (!wanted) return;
  lab = await openLab();
  servers.trusted = await lab.server(vsftpdTls);
  servers.unknown = await lab.server(vsftpdTls);
  servers.plain = await lab.server(vsftpdPlain);
  daemon = await startDaemon(lab, 'screens', config());
  mkdirSync(folder, { recursive: true });
});

after(async () => {
  if (!wanted) return;
  await daemon.stop();
  await lab.close();
});

function config(): string {
  const named = Object.entries({ 'files.example.com': 'trusted', 'new.example.net': 'unknown' } as const);
  const lines = named.map(([, name]) => `[[host]]\nmatch = "${serverOf(name).address.ipv4}"\n`);
  return `[trust]\nunknown = "ask"\nstore = "file"\n[fallback]\ncleartext = "warn"\n${lines.join('')}`;
}

/** The menu of the only icon in the panel, as it opens at a click. */
async function shoot(screen: Screen, file: string): Promise<void> {
  // GTK opens a menu that has grown since at its old size; the second time it is right.
  for (const again of [false, true]) {
    if (again) await screen.run(['xdotool', 'key', 'Escape']);
    await screen.pointAt(16, 16, 1);
    await sleep(500);
  }
  await screen.pointAt(400, 300);
  await screen.shoot(file, '0,0,420,330');
  await screen.run(['xdotool', 'key', 'Escape']);
}

async function shootAll(theme: Theme): Promise<void> {
  uid += 1;
  const person = await openPerson(lab, daemon, uid);
  const screen = await Screen.open(person.session, { dark: theme === 'dark' });
  const picture = (state: string): string => path.join(folder, `tray-${state}-${theme}.png`);
  try {
    await daemon.json(
      ['keys', 'add', serverOf('trusted').address.ipv4, serverOf('trusted').certificate.fingerprint],
      uid,
    );
    await person.desk.entry(/No FTP session now/);
    await sleep(1500);
    await shoot(screen, picture('idle'));
    await shootSessions(person, screen, picture);
    await daemon.stop();
    await person.desk.entry(/does not run/);
    await shoot(screen, picture('trouble'));
    daemon = await startDaemon(lab, 'screens', config());
  } finally {
    await person.close();
  }
}

async function shootSessions(
  person: Person,
  screen: Screen,
  picture: (state: string) => string,
): Promise<void> {
  const secured = await FtpTalk.open(person.talker, serverOf('trusted').address.ipv4);
  await secured.login();
  await person.desk.entry(/1 session secured/);
  await shoot(screen, picture('securing'));
  const plain = await FtpTalk.open(person.talker, serverOf('plain').address.ipv4);
  await plain.login();
  await person.desk.entry(/not encrypted$/);
  await shoot(screen, picture('cleartext'));
  const asked = await FtpTalk.open(person.talker, serverOf('unknown').address.ipv4);
  await asked.say(`USER ${login.user}`);
  await person.desk.entry(/New server/);
  await shoot(screen, picture('question'));
  for (const talk of [asked, plain, secured]) await talk.hangUp();
}

/** A real notifier with a question about a new server. */
async function shootNotification(file: string): Promise<void> {
  uid += 1;
  const person = await openPerson(lab, daemon, uid, { notifier: 'none' });
  try {
    const screen = await Screen.open(person.session, { panel: false, notifier: true });
    await sleep(2000);
    const asked = await FtpTalk.open(person.talker, serverOf('unknown').address.ipv4);
    await asked.say(`USER ${login.user}`);
    await person.desk.entry(/^New server/);
    await sleep(2000);
    await screen.shoot(file, '624,0,400,190');
    await asked.hangUp();
  } finally {
    await person.close();
  }
}

// Taking pictures anew is no test that was left out where nobody wants them.
if (wanted) {
  test('a notification', async () => {
    await shootNotification(path.join(folder, 'notification.png'));
  });
}

test('the picture of a notification is in docs/screens', () => {
  assert.deepEqual(sizeOfPng(path.join(folder, 'notification.png')), [400, 190]);
});

for (const theme of themes) {
  if (wanted) {
    test(`the icon and its menu in each state, ${theme}`, async () => {
      await shootAll(theme);
    });
  }
  test(`pictures of the ${theme} panel are in docs/screens and small`, () => {
    for (const state of states) {
      const file = path.join(folder, `tray-${state}-${theme}.png`);
      assert.ok(existsSync(file), file);
      assert.deepEqual(sizeOfPng(file), [420, 330]);
      assert.ok(statSync(file).size < 60_000, file);
    }
  });
}
