// `ftpseal tray` as a person runs it, with a browser that only notes what it was asked to open.
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { waitFor, type Running } from '../../lab/harness/command.js';
import type { Daemon } from '../../lab/harness/ftpseal.js';
import type { DesktopSession } from './keyring.js';

export interface TrayOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where programs are found, in place of the noting browser and the system's. */
  readonly path?: string;
  /** `manager` in place of `tray`. */
  readonly command?: 'tray' | 'manager';
}

/** Ends with the session that it runs in, or by `stop`. */
export class TrayProcess {
  readonly running: Running;
  readonly #opened: string;

  constructor(session: DesktopSession, daemon: Daemon, options: TrayOptions = {}) {
    const tools = path.join(session.home, 'tools');
    this.#opened = path.join(session.home, 'opened');
    mkdirSync(tools, { recursive: true });
    const browser = path.join(tools, 'chromium');
    writeFileSync(
      browser,
      `#!/bin/sh\nfor word; do case $word in --app=*) echo "\${word#--app=}" >>'${this.#opened}';; esac; done\n`,
    );
    chmodSync(browser, 0o755);
    if (!existsSync(this.#opened)) {
      writeFileSync(this.#opened, '');
      chownSync(this.#opened, session.uid, session.uid);
    }
    const programs = `PATH=${options.path ?? `${tools}:/usr/bin:/bin`}`;
    const main = path.join(daemon.program, 'dist/daemon/main.js');
    const words = [options.command ?? 'tray', '--runtime-dir', path.join(daemon.folder, 'run')];
    this.running = session.start(['env', programs, process.execPath, main, ...words], {
      DISPLAY: ':none',
      ...options.env,
    });
  }

  /** What the tray said to its terminal. */
  said(): string {
    return this.running.stderr();
  }

  /** The addresses that the browser was asked to open, oldest first. */
  opened(): readonly string[] {
    return readFileSync(this.#opened, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Waits for the next address after those that `before` holds. */
  async nextPage(before: readonly string[]): Promise<string> {
    await waitFor(
      () => `a page to be opened; the tray said: ${this.said()}`,
      () => this.opened().length > before.length,
    );
    return this.opened()[before.length] ?? '';
  }

  async says(what: RegExp): Promise<void> {
    await waitFor(
      () => `the tray to say ${String(what)}; it said: ${this.said()}`,
      () => what.test(this.said()),
    );
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number> {
    this.running.child.kill('SIGTERM');
    return this.running.ended;
  }
}
