// A screen for a person's desktop session: X server, window manager, a panel whose tray shows status icons, and a notifier. All of
// it runs as the person, with the person's own folders.
import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { must, sleep, waitFor, type Running } from '../../lab/harness/command.js';
import type { DesktopSession } from './keyring.js';

const watcher = 'org.kde.StatusNotifierWatcher';
const socketsFolder = '/tmp/.X11-unix';

export interface ScreenOptions {
  readonly panel?: boolean;
  readonly notifier?: boolean;
  readonly dark?: boolean;
}

/** Ends with the session. */
export class Screen {
  readonly display: string;
  readonly #session: DesktopSession;
  readonly #panels: Running[] = [];

  private constructor(session: DesktopSession, display: string) {
    this.#session = session;
    this.display = display;
  }

  static async open(session: DesktopSession, options: ScreenOptions = {}): Promise<Screen> {
    // Only root can make the folder that all X servers of the machine share.
    if (mkdirSync(socketsFolder, { recursive: true }) !== undefined) chmodSync(socketsFolder, 0o1777);
    const size = ['-screen', '0', '1024x640x24'];
    const xvfb = session.start(['Xvfb', '-displayfd', '1', ...size, '-nolisten', 'tcp', '-noreset']);
    await waitFor(
      () => `Xvfb: ${xvfb.stderr()}`,
      () => /^\d+\n/.test(xvfb.stdout()),
    );
    const screen = new Screen(session, `:${xvfb.stdout().trim()}`);
    screen.#configure(options.dark === true);
    // The session's bus starts no service by itself.
    screen.start(['/usr/lib/x86_64-linux-gnu/xfce4/xfconf/xfconfd']);
    await screen.#owned('org.xfce.Xfconf', 'true');
    screen.start(['openbox', '--sm-disable']);
    if (options.panel !== false) await screen.startPanel();
    if (options.notifier === true) screen.start(['/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd']);
    return screen;
  }

  get env(): Readonly<Record<string, string>> {
    return { DISPLAY: this.display, GTK_THEME: this.#theme, NO_AT_BRIDGE: '1' };
  }

  #theme = 'Adwaita';

  start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return this.#session.start(argv, { ...this.env, ...env });
  }

  async startPanel(): Promise<void> {
    this.#panels.push(this.start(['xfce4-panel', '--disable-wm-check']));
    await this.#owned(watcher, 'true');
  }

  /** As a panel that crashes. */
  async stopPanel(): Promise<void> {
    for (const panel of this.#panels.splice(0)) await panel.stop();
    await this.#owned(watcher, 'false');
  }

  /** What the person sees, as a small PNG file; `area` is x,y,width,height. */
  async shoot(file: string, area: string): Promise<void> {
    const raw = path.join(this.#session.home, 'shot.png');
    await this.run(['scrot', '--overwrite', '--autoselect', area, raw]);
    await must({}, ['pngquant', '--force', '--strip', '--speed', '1', '--output', file, '128', raw]);
  }

  async run(argv: readonly string[]): Promise<string> {
    const running = this.start(argv);
    const code = await running.ended;
    if (code !== 0) throw new Error(`${argv.join(' ')}: ${running.stderr()}`);
    return running.stdout();
  }

  async pointAt(x: number, y: number, button?: number): Promise<void> {
    const click = button === undefined ? [] : ['click', String(button)];
    await this.run(['xdotool', 'mousemove', String(x), String(y), ...click]);
    await sleep(400);
  }

  async #owned(name: string, wanted: 'true' | 'false'): Promise<void> {
    const ask = [
      ...['dbus-send', '--session', '--print-reply', '--dest=org.freedesktop.DBus'],
      ...['/org/freedesktop/DBus', 'org.freedesktop.DBus.NameHasOwner'],
      `string:${name}`,
    ];
    await waitFor(
      `${name} on the bus: ${wanted}`,
      async () => (await this.#session.run(ask)).stdout.includes(`boolean ${wanted}`),
      30_000,
    );
  }

  #configure(dark: boolean): void {
    if (dark) this.#theme = 'Adwaita:dark';
    const folder = path.join(this.#session.home, '.config/xfce4/xfconf/xfce-perchannel-xml');
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'xfce4-panel.xml'), panelXml(dark));
    for (let at = folder; at !== this.#session.home; at = path.dirname(at)) {
      chownSync(at, this.#session.uid, this.#session.uid);
    }
    chownSync(path.join(folder, 'xfce4-panel.xml'), this.#session.uid, this.#session.uid);
  }
}

/** One panel at the top with the tray alone, so that the icon's place is known. */
function panelXml(dark: boolean): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="${dark}"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="22"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
      <property name="icon-size" type="int" value="22"/>
      <property name="show-frame" type="bool" value="false"/>
    </property>
  </property>
</channel>
`;
}

/** The pixel size of a PNG file. */
export function sizeOfPng(file: string): readonly [number, number] {
  const head = readFileSync(file).subarray(16, 24);
  return [head.readUInt32BE(0), head.readUInt32BE(4)];
}
