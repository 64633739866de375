// Opens a page of the manager as a window of its own. The browser gets a profile of its own, so that no extension of the person's
// browser sees the page, and nothing of it reaches their history.
//
// The address stands in the browser's arguments, where every user of the machine can read it, and it carries a token that works
// once. That is safe because the manager's server asks the kernel whose connection it is and answers the person alone.
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { findBrowsers, type Browser } from './browsers.js';

export interface WindowOptions {
  /** The person's own folder for what ftpseal keeps; the browser's profile goes there. */
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
}

const size = '1000,760';
/** A browser that ends with an error within this time has not opened the page. */
const settleMs = 1500;

const appFlags = [
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-sync',
  '--disable-component-update',
  '--disable-background-networking',
  '--disable-extensions',
  '--disable-quic',
  // Otherwise it asks for the keychain's password, for cookies that end with the window.
  '--password-store=basic',
  // Pages of this machine; a proxy of the network has no business with them.
  '--no-proxy-server',
];

/**
 * Shows the page; resolves when a browser has taken it. Rejects with a Fault: as root (a browser must not be run so), and
 * where no browser or no screen is there.
 */
export async function openWindow(url: string, options: WindowOptions): Promise<void> {
  if (process.geteuid?.() === 0) {
    throw new Fault('not-permitted', 'A browser must not run as root: open the manager as an ordinary user.');
  }
  const profile = join(options.stateDir, 'window');
  await mkdir(profile, { recursive: true, mode: 0o700 });
  for (const browser of findBrowsers(options.env)) {
    if (await takes(browser, argumentsFor(browser, url, profile), options.env)) return;
  }
  throw new Fault(
    'missing-tool',
    'No browser could be opened here (Chromium, Chrome, Edge, or the desktop’s own).',
  );
}

function argumentsFor(browser: Browser, url: string, profile: string): readonly string[] {
  if (browser.kind === 'any') return [url];
  return [`--app=${url}`, `--user-data-dir=${profile}`, `--window-size=${size}`, ...appFlags];
}

/** A browser may hand the page to one that runs and end at once, with 0; or stay for hours. */
function takes(browser: Browser, argv: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(browser.path, argv, {
      cwd: dirname(browser.path),
      env,
      stdio: 'ignore',
      detached: true,
    });
    const timer = setTimeout(() => {
      resolve(true);
    }, settleMs);
    const settle = (taken: boolean): void => {
      clearTimeout(timer);
      resolve(taken);
    };
    child.once('error', () => {
      settle(false);
    });
    child.once('exit', (code) => {
      // Explorer hands over and says 1.
      settle(code === 0 || (browser.kind === 'any' && process.platform === 'win32'));
    });
    child.unref();
  });
}
