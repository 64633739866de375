// A person with a desktop, a tray and FTP programs, in one opening; and the browser in which they read the manager's pages.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { chromium, type BrowserContext, type Page } from 'playwright-core';
import { argvAt } from '../../lab/harness/command.js';
import type { Daemon } from '../../lab/harness/ftpseal.js';
import type { Lab } from '../../lab/harness/lab.js';
import { Talker } from '../../lab/show/talker.js';
import { Desk } from './desk.js';
import { DesktopSession } from './keyring.js';
import { TrayProcess, type TrayOptions } from './tray-process.js';

const chromiumFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Person {
  readonly uid: number;
  readonly session: DesktopSession;
  readonly desk: Desk;
  readonly tray: TrayProcess;
  /** The person's sockets on the client's host. */
  readonly talker: Talker;
  /** Opens a page in the person's own browser. */
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

export interface PersonOptions extends TrayOptions {
  readonly keyring?: boolean;
  /** The desk, which notes everything, unless the test brings another. */
  readonly notifier?: 'desk' | 'none';
}

/** Opens the session and starts the tray; the notifier is the desk's own. */
export async function openPerson(
  lab: Lab,
  daemon: Daemon,
  uid: number,
  options: PersonOptions = {},
): Promise<Person> {
  const session = await DesktopSession.open({ folder: lab.folder, uid });
  if (options.keyring === true) await session.startKeyring();
  const desk = new Desk(session, daemon.program);
  if (options.notifier !== 'none') await desk.becomesNotifier();
  const tray = new TrayProcess(session, daemon, options);
  const talker = new Talker({ namespace: lab.network.pc, uid });
  await desk.entry(/Open manager/);
  let browser: BrowserContext | undefined;
  return {
    uid,
    session,
    desk,
    tray,
    talker,
    open: async (url) => {
      browser ??= await openBrowser(session);
      const page = await browser.newPage();
      await page.goto(url);
      return page;
    },
    close: async () => {
      await browser?.close();
      await talker.stop();
      await session.close();
    },
  };
}

/** A headless Chromium that runs as the person: the manager answers nobody else. */
export async function openBrowser(session: DesktopSession): Promise<BrowserContext> {
  const folder = path.join(session.home, 'browser');
  mkdirSync(folder, { recursive: true });
  chownSync(folder, session.uid, session.uid);
  const script = path.join(session.home, 'run-chromium');
  const argv = argvAt({ uid: session.uid }, ['/usr/bin/chromium']);
  writeFileSync(script, `#!/bin/sh\nexec ${argv.join(' ')} "$@"\n`);
  chmodSync(script, 0o755);
  return chromium.launchPersistentContext(folder, {
    executablePath: script,
    headless: true,
    args: chromiumFlags,
    env: { PATH: '/usr/bin:/bin', HOME: session.home, XDG_RUNTIME_DIR: session.env['XDG_RUNTIME_DIR'] ?? '' },
  });
}
