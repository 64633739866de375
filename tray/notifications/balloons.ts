// Notifications on Windows: balloons at the tray's icon, which Windows 10 and later show as any other notification. The icon is the
// helper's (systray2), so its window is found by its process. Nothing can be clicked in them: a question's window opens by itself.
import koffi from 'koffi';
import type { QuestionView } from '../../shared/ipc-messages.js';
import { moreText, plainText } from '../model/notification-text.js';

export interface Balloon {
  readonly title: string;
  readonly text: string;
  /** Shown with a warning's sign. */
  readonly urgent: boolean;
}

/** Of the helper's window and of its icon there. */
const CLASS = 'SystrayClass';
const ICON_ID = 100;

const MODIFY = 1;
const HAS_BALLOON = 0x10;
const sign = { info: 1, warning: 2 } as const;
/** NOTIFYICONDATAW of Windows Vista and later, 64 bit; its texts hold so many units, the end included. */
const DATA_BYTES = 976;
const at = { size: 0, window: 8, icon: 16, flags: 20, text: 304, title: 820, sign: 948 } as const;
const units = { text: 256, title: 64 } as const;
const MAX_WINDOWS = 64;

type Call = (...args: readonly unknown[]) => unknown;

/** One at a time: says of each question once that it is there. */
export class Balloons {
  readonly #show: (balloon: Balloon) => void;
  #known: ReadonlySet<string> = new Set();

  /** `show`: with the process of the icon's helper, `showBalloon`. */
  constructor(show: (balloon: Balloon) => void) {
    this.#show = show;
  }

  show(questions: readonly QuestionView[]): void {
    const fresh = questions.filter(({ id, waiting }) => waiting > 0 && !this.#known.has(id));
    this.#known = new Set(questions.filter(({ waiting }) => waiting > 0).map(({ id }) => id));
    const [first] = fresh;
    if (first === undefined) return;
    if (fresh.length === 1) this.#show(plainText(first));
    else this.#show({ title: moreText(fresh.length).summary, text: 'Open the manager.', urgent: false });
  }
}

/** False if there is no such icon, or Windows does not show balloons. Windows only. */
export function showBalloon(helperPid: number, { title, text, urgent }: Balloon): boolean {
  const window = windowOf(helperPid);
  if (window === undefined) return false;
  const data = Buffer.alloc(DATA_BYTES);
  data.writeUInt32LE(DATA_BYTES, at.size);
  data.writeBigUInt64LE(window, at.window);
  data.writeUInt32LE(ICON_ID, at.icon);
  data.writeUInt32LE(HAS_BALLOON, at.flags);
  data.write(fitting(text, units.text), at.text, 'utf16le');
  data.write(fitting(title, units.title), at.title, 'utf16le');
  data.writeUInt32LE(urgent ? sign.warning : sign.info, at.sign);
  return Number(load().notify(MODIFY, data)) !== 0;
}

function fitting(whole: string, room: number): string {
  return whole.length < room ? whole : `${whole.slice(0, room - 2)}…`;
}

function windowOf(wanted: number): bigint | undefined {
  const { find, processOf } = load();
  let window = 0n;
  for (let tried = 0; tried < MAX_WINDOWS; tried += 1) {
    window = BigInt(Number(find(0, window, CLASS, null)));
    if (window === 0n) return undefined;
    const pid = Buffer.alloc(4);
    processOf(window, pid);
    if (pid.readUInt32LE() === wanted) return window;
  }
  return undefined;
}

let loaded: { readonly find: Call; readonly processOf: Call; readonly notify: Call } | undefined;

function load() {
  if (loaded !== undefined) return loaded;
  const user = koffi.load('user32.dll');
  const shell = koffi.load('shell32.dll');
  loaded = {
    find: user.func(
      'intptr_t FindWindowExW(intptr_t parent, intptr_t after, const char16_t *kind, void *title)',
    ),
    processOf: user.func('uint32_t GetWindowThreadProcessId(intptr_t window, void *pid)'),
    notify: shell.func('int Shell_NotifyIconW(uint32_t message, void *data)'),
  };
  return loaded;
}
