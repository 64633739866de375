// The person's desktop as far as there is one: tray icon and notifications. It comes and goes (a panel that restarts, a session bus
// that ends); what is missing is said once, and everything else works on.
import { Fault } from '../shared/fault.js';
import type { QuestionView } from '../shared/ipc-messages.js';
import { SessionBus } from './bus/session-bus.js';
import { StatusNotifier } from './hosts/status-notifier.js';
import { openSystray } from './hosts/systray.js';
import type { TrayHost, TrayHostListener } from './hosts/tray-host.js';
import type { TrayAction, TrayView } from './model/tray-view.js';
import { Balloons, showBalloon, type Balloon } from './notifications/balloons.js';
import { Notifier, type NotifierListener } from './notifications/notifier.js';
import { hasScreen } from './windows/browsers.js';

export interface DesktopOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The person's own folder, for what a tray helper needs. */
  readonly stateDir: string;
  readonly onAction: (action: TrayAction) => void;
  readonly notifications: Omit<NotifierListener, 'onTrouble'>;
  /** A sentence for the person who looks at the log; each is said once until something changes. */
  readonly say: (sentence: string) => void;
}

export interface Shown {
  readonly view: TrayView;
  readonly questions: readonly QuestionView[];
}

/** Milliseconds until a bus that went is looked for again; it doubles up to the last. */
const retryMs = { first: 2000, last: 60_000 };
/** A panel that starts together with the tray needs this long to be there. */
const panelMs = 5000;

/** Shows the newest of what it was given until it is closed. Never rejects: troubles are said. */
export class Desktop {
  readonly #options: DesktopOptions;
  readonly #said = new Set<string>();
  #shown: Shown;
  #bus: SessionBus | undefined;
  #notifier: Notifier | undefined;
  readonly #balloons: Balloons | undefined;
  #host: TrayHost | undefined;
  /** For panels that don't know status notifier items, and systems without a bus. */
  #fallback: TrayHost | undefined;
  #timer: NodeJS.Timeout | undefined;
  #panelTimer: NodeJS.Timeout | undefined;
  #retry = retryMs.first;
  #iconShown = false;
  #closed = false;

  constructor(options: DesktopOptions, shown: Shown) {
    this.#options = options;
    this.#shown = shown;
    if (process.platform !== 'win32') return;
    this.#balloons = new Balloons((balloon) => {
      this.#balloon(balloon);
    });
  }

  /** Whether a question can be seen at all: as an icon or as a notification. */
  get canShow(): boolean {
    // Windows hides new icons behind an arrow, and its balloons can't be clicked.
    if (process.platform === 'win32') return false;
    return this.#iconShown || this.#fallback !== undefined || this.#notifier?.present === true;
  }

  async start(): Promise<void> {
    if (process.platform === 'linux') await this.#connect();
    else await this.#openFallback();
  }

  show(shown: Shown): void {
    this.#shown = shown;
    this.#host?.show(shown.view);
    this.#fallback?.show(shown.view);
    this.#notifier?.show(shown.questions);
    this.#balloons?.show(shown.questions);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#panelTimer);
    await this.#notifier?.close();
    await this.#host?.close();
    await this.#fallback?.close();
    this.#bus?.close();
  }

  async #connect(): Promise<void> {
    try {
      const bus = await SessionBus.connect(this.#options.env);
      this.#bus = bus;
      this.#host = await StatusNotifier.open(bus, this.#shown.view, this.#hostListener());
      this.#notifier = await Notifier.open(bus, {
        ...this.#options.notifications,
        onTrouble: (sentence) => {
          this.#sayOnce(sentence);
        },
      });
      this.show(this.#shown);
      this.#retry = retryMs.first;
    } catch (error) {
      this.#lost(Fault.from(error).userMessage);
    }
    if (this.#closed) await this.close();
  }

  #hostListener(): TrayHostListener {
    return {
      onAction: this.#options.onAction,
      onLost: (sentence) => {
        this.#lost(sentence);
      },
      onPresence: (presence) => {
        clearTimeout(this.#panelTimer);
        this.#iconShown = presence.kind === 'shown';
        if (presence.kind === 'shown') {
          this.#said.clear();
          void this.#closeFallback();
          return;
        }
        this.#panelTimer = setTimeout(() => {
          this.#sayOnce(presence.sentence);
          if (hasScreen(this.#options.env)) void this.#openFallback();
        }, panelMs);
      },
    };
  }

  #lost(sentence: string): void {
    this.#sayOnce(sentence);
    void this.#host?.close();
    this.#bus?.close();
    this.#host = undefined;
    this.#iconShown = false;
    this.#notifier = undefined;
    this.#bus = undefined;
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#connect(), this.#retry);
    this.#retry = Math.min(this.#retry * 2, retryMs.last);
  }

  async #openFallback(): Promise<void> {
    if (this.#fallback !== undefined || this.#closed) return;
    try {
      const host = await openSystray(this.#options.stateDir, this.#shown.view, {
        onAction: this.#options.onAction,
        onPresence: () => undefined,
        onLost: (sentence) => {
          this.#fallback = undefined;
          this.#sayOnce(sentence);
        },
      });
      this.#fallback = host;
      host.show(this.#shown.view);
    } catch (error) {
      this.#sayOnce(Fault.from(error).userMessage);
    }
  }

  #balloon(balloon: Balloon): void {
    const pid = this.#fallback?.helperPid;
    if (pid !== undefined) showBalloon(pid, balloon);
  }

  async #closeFallback(): Promise<void> {
    const host = this.#fallback;
    this.#fallback = undefined;
    await host?.close();
  }

  #sayOnce(sentence: string): void {
    if (this.#said.has(sentence) || this.#closed) return;
    this.#said.add(sentence);
    this.#options.say(sentence);
  }
}
