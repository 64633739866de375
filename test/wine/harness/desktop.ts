// A screen with Windows' own desktop on it: Wine's task bar shows status icons. Without a window manager, as on Windows.
import path from 'node:path';
import { statSync } from 'node:fs';
import { must, sleep, start, waitFor, type Running } from '../../lab/harness/command.js';
import type { Wine } from './wine.js';

const size = '1024x640';
/** Where the task bar shows the first icon: x, y, width, height; and its middle. */
const iconArea = '1000,621,24,18';
const icon = ['1013', '630'] as const;
/** Above the icons, where notifications are shown. */
const balloonArea = '624,480,400,130';
const wideArea = '124,480,900,160';
const menuArea = '624,400,400,240';
/** A picture of one colour is smaller. */
const emptyBytes = 200;
/** The same for the larger area of a balloon. */
const emptyBalloonBytes = 1500;

export class WineDesktop {
  readonly display: string;
  readonly #server: Running;

  private constructor(server: Running) {
    this.#server = server;
    this.display = `:${server.stdout().trim()}`;
  }

  static async open(): Promise<WineDesktop> {
    const server = start({}, [
      'Xvfb',
      '-displayfd',
      '1',
      '-screen',
      '0',
      `${size}x24`,
      '-nolisten',
      'tcp',
      '-noreset',
    ]);
    await waitFor(
      () => `Xvfb: ${server.stderr()}`,
      () => /^\d+\n/.test(server.stdout()),
    );
    return new WineDesktop(server);
  }

  /** The desktop called `shell` has a task bar. Programs that are started later show their windows on it. */
  async show(wine: Wine): Promise<void> {
    wine.start(['explorer', `/desktop=shell,${size}`]);
    await waitFor(
      'the desktop',
      async () => (await this.#command('xdotool', 'search', '--name', 'shell - Wine desktop')) !== '',
      60_000,
    );
  }

  iconShown(wine: Wine): Promise<void> {
    return this.#somethingIn(wine, iconArea, emptyBytes, 'the icon in the task bar');
  }

  /** It goes after some seconds. */
  balloonShown(wine: Wine): Promise<void> {
    return this.#somethingIn(wine, balloonArea, emptyBalloonBytes, 'a balloon at the icon');
  }

  async #somethingIn(wine: Wine, area: string, empty: number, what: string): Promise<void> {
    const file = path.join(wine.folder, 'area.png');
    await waitFor(
      what,
      async () => {
        await this.#command('scrot', '--overwrite', '--autoselect', area, file);
        return statSync(file).size > empty;
      },
      90_000,
    );
  }

  /** What is at the icon now, as a small PNG file. */
  async shootBalloon(file: string): Promise<void> {
    await this.#shoot(wideArea, file);
  }

  /** The tray's menu as the person sees it after a click on the icon, as a small PNG file. */
  async shootMenu(file: string): Promise<void> {
    await this.#command('xdotool', 'mousemove', ...icon, 'click', '3');
    await sleep(1000);
    // Away from the icon, whose words would cover the menu.
    await this.#command('xdotool', 'mousemove', '700', '300');
    await sleep(3000);
    await this.#shoot(menuArea, file);
    await this.#command('xdotool', 'key', 'Escape');
  }

  async #shoot(area: string, file: string): Promise<void> {
    const raw = `${file}.raw.png`;
    await this.#command('scrot', '--overwrite', '--autoselect', area, raw);
    await must({}, ['pngquant', '--force', '--strip', '--speed', '1', '--output', file, '128', raw]);
    await must({}, ['rm', raw]);
  }

  close(): Promise<void> {
    return this.#server.stop();
  }

  /** Its output; empty where it failed. */
  async #command(...argv: readonly string[]): Promise<string> {
    return must({ env: { DISPLAY: this.display } }, argv).catch(() => '');
  }
}
