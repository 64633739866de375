// The manager in a real browser, over a real daemon's IPC server, store, broker and history. Only the FTP sessions are put into
// the table by the tests: what the lab tests do with real ones needs no browser.
import { execFileSync } from 'node:child_process';
import type { X509Certificate } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { describeKey, summarizeCertificate } from '../../daemon/relay/certificate-summary.js';
import { fingerprintOfCertificate } from '../../daemon/trust/spki.js';
import type { Connection, Decision, Question } from '../../shared/trust.js';
import { connectDaemon } from '../../tray/daemon-link.js';
import type { DaemonLink } from '../../tray/agent-state.js';
import { startManager, type Manager } from '../../tray/manager/server.js';
import { connection, policy } from '../daemon/trust/fixture.js';
import { makeWorld, type TestWorld } from '../daemon/ipc/world.js';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface Look {
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** Everything that one test file needs; `close` takes it all away. */
export class Ground {
  readonly world: TestWorld;
  readonly link: DaemonLink;
  readonly manager: Manager;
  readonly browser: Browser;
  readonly #contexts: BrowserContext[] = [];
  #sessions = 0;

  private constructor(world: TestWorld, link: DaemonLink, manager: Manager, browser: Browser) {
    this.world = world;
    this.link = link;
    this.manager = manager;
    this.browser = browser;
  }

  static async open(): Promise<Ground> {
    const world = await makeWorld({ config: '[users]\nmay_pause = false\n[fallback]\ncleartext = "ask"\n' });
    const link = connectDaemon({ runtimeDir: world.folder });
    await until('the link to be there', () => link.state.daemon.kind === 'connected');
    const manager = await startManager({
      link,
      resolve: () => Promise.resolve([]),
      userName: (uid) => (uid === 1000 ? 'alice' : 'bob'),
    });
    const executablePath = process.env['FTPSEAL_CHROMIUM'] ?? '/usr/bin/chromium';
    const browser = await chromium.launch({ executablePath, args: flags, headless: true });
    return new Ground(world, link, manager, browser);
  }

  /** A window of its own, with a profile of its own, on a page of the manager; every error of the page is thrown. */
  async visit(page: string, look: Look = {}): Promise<Page> {
    const made = await this.emptyPage(look);
    await made.goto(this.manager.urlFor(page));
    await made.locator('#content[aria-busy="false"]').waitFor();
    return made;
  }

  async emptyPage({ dark = false, width = 1100, height = 760 }: Look = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    return page;
  }

  /** A session stands before a question; resolves with what the session is told. */
  judge(
    question: Question,
    to: Partial<Connection> = {},
    cleartext: 'ask' | 'warn' = 'ask',
    timeoutMs = 60_000,
  ): Promise<Decision> {
    this.#sessions += 1;
    const by = policy({ promptTimeoutMs: timeoutMs, caValid: 'ask' }, cleartext);
    return this.world.trust.judge(`s${this.#sessions}`, connection(to), by, question);
  }

  /** The id of the open question about an address, once the link knows it. */
  async questionAbout(address: string): Promise<string> {
    const found = () => this.link.state.questions.find((one) => one.connection.server.address === address);
    await until(`a question about ${address}`, () => found() !== undefined);
    return found()?.id ?? '';
  }

  async closeWindows(): Promise<void> {
    for (const context of this.#contexts.splice(0)) await context.close();
  }

  async close(): Promise<void> {
    await this.closeWindows();
    await this.browser.close();
    await this.manager.close();
    this.link.close();
    await this.world.close();
  }
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** The question about a server that shows this certificate. */
export function questionOf(certificate: X509Certificate, caValidFor?: string): Question {
  return {
    kind: 'key',
    identity: {
      mechanism: 'TLS',
      fingerprint: fingerprintOfCertificate(certificate.raw),
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      ...(caValidFor === undefined ? {} : { caValidFor }),
      certificate: summarizeCertificate(certificate, describeKey(certificate)),
    },
  };
}

export const cleartextQuestion: Question = {
  kind: 'cleartext',
  anonymous: false,
  reason: 'AUTH TLS: 502 Command not implemented',
};

/** Where screenshots go; undefined unless they are wanted (FTPSEAL_SCREENS names the folder). */
export const screens = process.env['FTPSEAL_SCREENS'];

/** A picture of what the window shows, as small as it gets. */
export async function screenshot(page: Page, name: string, whole = false): Promise<void> {
  if (screens === undefined) return;
  mkdirSync(screens, { recursive: true });
  const file = path.join(screens, `${name}.png`);
  await page.screenshot({ path: file, fullPage: whole, animations: 'disabled' });
  try {
    execFileSync('pngquant', ['--force', '--skip-if-larger', '--output', file, '64', file], {
      stdio: 'ignore',
    });
  } catch {
    // Without pngquant, or where it would not help, the picture stays as it is.
  }
}
