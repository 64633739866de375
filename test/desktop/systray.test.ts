// The fall-back for panels that know no status notifier items: systray2's helper, the real one.
import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { login, serverUid } from '../lab/harness/account.js';
import { sleep, waitFor } from '../lab/harness/command.js';
import { startDaemon, type Daemon } from '../lab/harness/ftpseal.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import type { LabServer } from '../lab/harness/server.js';
import { vsftpdTls } from '../lab/servers/vsftpd.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { Talker } from '../lab/show/talker.js';
import { DesktopSession } from './harness/keyring.js';
import { Screen } from './harness/screen.js';
import { TrayProcess } from './harness/tray-process.js';

const menuPath = '/org/ayatana/NotificationItem/systray/Menu';
const otherwise = process.arch !== 'x64' && 'the helper exists for x86-64 only';

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let uid = serverUid + 650;
const closers: (() => Promise<void>)[] = [];

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  daemon = await startDaemon(lab, 'systray', '[trust]\nunknown = "ask"\nstore = "file"\n');
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

async function newScreen(): Promise<{ session: DesktopSession; screen: Screen }> {
  uid += 1;
  const session = await DesktopSession.open({ folder: lab.folder, uid });
  closers.push(() => session.close());
  return { session, screen: await Screen.open(session, { panel: false }) };
}

/** One call to an object of whoever has it; empty where nobody answers. */
async function call(session: DesktopSession, to: string, ...words: readonly string[]): Promise<string> {
  const send = ['dbus-send', '--session', '--print-reply', `--dest=${to}`];
  return (await session.run([...send, menuPath, ...words])).stdout;
}

async function namesOn(session: DesktopSession): Promise<string> {
  const bus = 'org.freedesktop.DBus';
  const asked = ['/org/freedesktop/DBus', `${bus}.ListNames`];
  return (await session.run(['dbus-send', '--session', '--print-reply', `--dest=${bus}`, ...asked])).stdout;
}

interface Helper {
  /** The labels that can be seen, with their numbers. */
  menu(): Promise<ReadonlyMap<string, number>>;
  entry(label: RegExp): Promise<number>;
  click(label: RegExp): Promise<void>;
}

async function helperOf(session: DesktopSession): Promise<Helper> {
  let name = '';
  const layout = (to: string): Promise<string> =>
    call(session, to, 'com.canonical.dbusmenu.GetLayout', 'int32:0', 'int32:-1', 'array:string:');
  await waitFor('the helper’s menu on the bus', async () => {
    // Each call of ours takes a name too, so the helper's number may be any.
    for (const [one] of (await namesOn(session)).matchAll(/:1\.\d+/g))
      if (name === '' && (await layout(one)).includes('"children-display"')) name = one;
    return name !== '';
  });
  const menu = async (): Promise<ReadonlyMap<string, number>> => {
    const items = (await layout(name)).split('struct {').slice(2);
    return new Map(
      items.flatMap((item) => {
        const id = /int32 (\d+)/.exec(item)?.[1];
        const label = /"label"\s+variant\s+string "([^"]*)"/.exec(item)?.[1];
        const isHidden = /"visible"\s+variant\s+boolean false/.test(item);
        return id === undefined || label === undefined || isHidden ? [] : [[label, Number(id)] as const];
      }),
    );
  };
  const entry = async (wanted: RegExp): Promise<number> => {
    let last: ReadonlyMap<string, number> = new Map();
    const find = (): number | undefined => [...last].find(([label]) => wanted.test(label))?.[1];
    await waitFor(
      () => `an entry ${String(wanted)}: ${JSON.stringify([...last])}`,
      async () => {
        last = await menu();
        return find() !== undefined;
      },
    );
    return find() ?? -1;
  };
  const click = async (wanted: RegExp): Promise<void> => {
    const id = await entry(wanted);
    // A click right after the entry changed is taken for one on what stood there before.
    await sleep(700);
    const words = [`int32:${id}`, 'string:clicked', 'variant:string:', 'uint32:0'];
    await call(session, name, 'com.canonical.dbusmenu.Event', ...words);
  };
  return { menu, entry, click };
}

test('the helper shows the same menu, and clicks in it do the same', { skip: otherwise }, async () => {
  const { session, screen } = await newScreen();
  const tray = new TrayProcess(session, daemon, { env: screen.env });
  await tray.says(/shows no status icons/);
  const helper = await helperOf(session);
  await helper.entry(/^No FTP session now$/);
  const talker = new Talker({ namespace: lab.network.pc, uid: session.uid });
  closers.push(() => talker.stop());
  const talk = await FtpTalk.open(talker, server.address.ipv4);
  await talk.say(`USER ${login.user}`);
  const before = tray.opened();
  await helper.click(/^New server 10\./);
  assert.match(await tray.nextPage(before), /^http:\/\/127\.0\.0\.1/);
  await helper.click(/^Start at login$/);
  await helper.entry(/^✓ Start at login$/);
  await helper.click(/^✓ Start at login$/);
  await helper.entry(/^Start at login$/);
  await talk.hangUp();
  const copy = path.join(session.home, '.local/state/ftpseal/tray-helper');
  assert.equal(statSync(copy).mode & 0o777, 0o700);
  await helper.click(/^Quit$/);
  assert.equal(await tray.running.ended, 0, tray.said());
});

test(
  'a helper that cannot start is said once; the tray goes on, and the panel’s icon comes when a panel does',
  { skip: otherwise },
  async () => {
    const { session, screen } = await newScreen();
    // A library that is none, as on a machine without the right one.
    const libraries = path.join(session.home, 'libraries');
    mkdirSync(libraries);
    writeFileSync(path.join(libraries, 'libappindicator3.so.1'), '');
    const env = { ...screen.env, LD_LIBRARY_PATH: libraries };
    const tray = new TrayProcess(session, daemon, { env });
    await tray.says(/helper program can’t be used \(it ended at once\)/);
    await screen.startPanel();
    await sleep(1000);
    assert.equal(tray.said().match(/helper/g)?.length, 1, tray.said());
    assert.equal(await tray.stop(), 0);
  },
);
