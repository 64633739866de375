// The tray icon on Windows and macOS, and on Linux panels that know only the old XEmbed protocol: a helper program of the package
// systray2, spoken to over a pipe.
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { makePrivateFolder } from '../../daemon/sys/atomic-file.js';
import { Fault } from '../../shared/fault.js';
import { toIco } from '../icons/formats.js';
import { toPng } from '../icons/png.js';
import { trayIcon } from '../icons/tray-icon.js';
import type { IconState, TrayView } from '../model/tray-view.js';
import { slotsOf, slotCount, type Slot } from './systray-slots.js';
import type { TrayHost, TrayHostListener } from './tray-host.js';

/** The library's `ready()` never settles if the helper dies before it is. */
const readyMs = 5000;
/** A click that comes so soon after its entry changed was meant for what stood there before. */
const deafMs = 500;
const iconSize = 32;
const maxHover = 63;

interface Item {
  title: string;
  tooltip: string;
  checked: boolean;
  enabled: boolean;
  hidden: boolean;
  __id?: number;
}

interface Systray {
  readonly process: ChildProcess | null;
  ready(): Promise<void>;
  onClick(listener: (event: { readonly item: object }) => void): Promise<unknown>;
  sendAction(action: object): Promise<unknown>;
}

type SystrayClass = new (options: {
  readonly menu: {
    readonly icon: string;
    readonly title: string;
    readonly tooltip: string;
    readonly items: Item[];
  };
  readonly copyDir: string | false;
}) => Systray;

const load = createRequire(import.meta.url);
const librarySchema = z.object({
  default: z.custom<SystrayClass>((value) => typeof value === 'function'),
});
const helpers: Partial<Record<NodeJS.Platform, string>> = {
  win32: 'tray_windows_release.exe',
  darwin: 'tray_darwin_release',
  linux: 'tray_linux_release',
};

/** `stateDir` gets a copy of the helper that can be run, where the one that is installed can't. Rejects with a Fault of code `missing-tool` if the helper does not work. */
export async function openSystray(
  stateDir: string,
  view: TrayView,
  listener: TrayHostListener,
): Promise<TrayHost> {
  const copyDir = await placeHelper(stateDir);
  const library = librarySchema.parse(load('systray2'));
  const items = Array.from({ length: slotCount }, emptyItem);
  const menu = { icon: iconData(view.icon), title: '', tooltip: view.title, items };
  const tray = new library.default({ menu, copyDir });
  await inTime(tray);
  const host = new SystrayHost(tray, items, listener);
  await host.listen();
  host.show(view);
  return host;
}

class SystrayHost implements TrayHost {
  readonly #tray: Systray;
  readonly #items: Item[];
  readonly #listener: TrayHostListener;
  #slots: readonly Slot[] = [];
  readonly #changedAt: number[] = [];
  #look = '';
  #closed = false;

  constructor(tray: Systray, items: Item[], listener: TrayHostListener) {
    this.#tray = tray;
    this.#items = items;
    this.#listener = listener;
  }

  get helperPid(): number | undefined {
    return this.#tray.process?.pid;
  }

  async listen(): Promise<void> {
    this.#tray.process?.once('exit', () => {
      if (!this.#closed) this.#listener.onLost('The tray icon’s helper program ended, and the icon with it.');
      this.#closed = true;
    });
    await this.#tray.onClick(({ item }) => {
      this.#onClick(this.#items.findIndex((one) => one === item));
    });
    this.#listener.onPresence({ kind: 'shown' });
  }

  show(view: TrayView): void {
    if (this.#closed) return;
    const slots = slotsOf(view.menu, process.platform);
    slots.forEach((slot, index) => {
      this.#showSlot(index, slot);
    });
    this.#slots = slots;
    const look = JSON.stringify([view.icon, view.tooltip]);
    if (look === this.#look) return;
    this.#look = look;
    // The items are left to themselves: this action can't change how many there are.
    const menu = { icon: iconData(view.icon), title: '', tooltip: hoverText(view.tooltip), items: [] };
    this.#send({ type: 'update-menu', menu });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const child = this.#tray.process;
    if (child === null) return;
    const ended = new Promise<void>((resolve) =>
      child.once('exit', () => {
        resolve();
      }),
    );
    this.#send({ type: 'exit' });
    const timer = setTimeout(() => child.kill('SIGKILL'), 1000);
    await ended;
    clearTimeout(timer);
  }

  #showSlot(index: number, slot: Slot): void {
    const item = this.#items[index];
    if (item === undefined || JSON.stringify(this.#slots[index]) === JSON.stringify(slot)) return;
    this.#changedAt[index] = Date.now();
    Object.assign(item, { title: slot.title, hidden: slot.hidden, enabled: slot.enabled });
    // On Linux the library writes a check mark into the title and can't take it out again.
    item.checked = process.platform === 'linux' ? false : slot.checked;
    this.#send({ type: 'update-item', item, seq_id: -1 });
  }

  #onClick(index: number): void {
    const action = this.#slots[index]?.action;
    if (action === undefined || Date.now() - (this.#changedAt[index] ?? 0) < deafMs) return;
    this.#listener.onAction(action);
  }

  #send(action: object): void {
    this.#tray.sendAction(action).catch(() => undefined);
  }
}

/**
 * The helper comes without the right to be run, and the library would prefer one that lies in the current folder: so it gets a copy
 * of ours, in a folder that only the person may write to.
 */
async function placeHelper(stateDir: string): Promise<string | false> {
  const name = helpers[process.platform];
  // Windows runs it where it is installed, and only the installer may write there. The current folder is the person's own
  // (agent.ts), so no other helper is found in it.
  if (process.platform === 'win32') return false;
  if (name === undefined) throw unusable(`there is none for ${process.platform}`);
  const packageFile = require.resolve('systray2/package.json');
  const { version } = z
    .object({ version: z.string().regex(/^[0-9A-Za-z.-]+$/) })
    .parse(JSON.parse(await readFile(packageFile, 'utf8')));
  const copyDir = join(stateDir, 'tray-helper');
  const folder = join(copyDir, version);
  await makePrivateFolder(copyDir);
  await makePrivateFolder(folder);
  const copy = join(folder, name);
  if (!existsSync(copy)) {
    const fresh = `${copy}.${process.pid}`;
    await copyFile(join(dirname(packageFile), 'traybin', name), fresh);
    await chmod(fresh, 0o700);
    await rename(fresh, copy);
  }
  return copyDir;
}

async function inTime(tray: Systray): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const trouble = new Promise<never>((_, reject) => {
    const deadline = Date.now() + readyMs;
    let watched: ChildProcess | null = null;
    timer = setInterval(() => {
      if (Date.now() > deadline) reject(unusable('it did not start in time'));
      const { process: child } = tray;
      if (child === null || child === watched) return;
      watched = child;
      // Writing to a helper that has died must not end us.
      child.stdin?.on('error', () => undefined);
      if (child.exitCode !== null) reject(unusable('it ended at once'));
      child.once('exit', () => {
        reject(unusable('it ended at once'));
      });
    }, 10);
  });
  try {
    await Promise.race([tray.ready(), trouble]);
  } catch (error) {
    tray.process?.kill('SIGKILL');
    throw error instanceof Fault ? error : unusable(error instanceof Error ? error.message : 'it failed');
  } finally {
    clearInterval(timer);
  }
}

function unusable(reason: string): Fault {
  return new Fault(
    'missing-tool',
    `The tray icon’s helper program can’t be used (${reason}). Questions are in the manager: ftpseal manager`,
  );
}

/** Windows shows 63 UTF-16 units; the helper passes more on without an end, and what lies behind them in memory is shown. */
function hoverText(text: string): string {
  const whole = `ftpseal: ${text}`;
  if (process.platform !== 'win32' || whole.length <= maxHover) return whole;
  return `${whole.slice(0, maxHover - 1)}…`;
}

function emptyItem(): Item {
  return { title: '', tooltip: '', checked: false, enabled: true, hidden: true };
}

function iconData(icon: IconState): string {
  const picture = trayIcon(icon, iconSize);
  return (process.platform === 'win32' ? toIco(picture) : toPng(picture)).toString('base64');
}
