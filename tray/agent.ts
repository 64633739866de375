// The tray agent: one a user, unprivileged. Joins the link to the daemon, the keychain, the manager, the desktop and the person's
// clicks; each of them can fail without the others.
import { runtimeDirOf, stateDirOf } from '../daemon/cli/paths.js';
import { makePrivateFolder } from '../daemon/sys/atomic-file.js';
import { outlastSurroundings } from '../daemon/sys/long-lived.js';
import { isMachine } from '../daemon/sys/own-user.js';
import { assertNever } from '../shared/assert-never.js';
import { EXIT, Fault } from '../shared/fault.js';
import type { AgentState, DaemonLink } from './agent-state.js';
import { autostartPlace, setStartsAtLogin, startsAtLogin, type AutostartPlace } from './autostart.js';
import { connectDaemon } from './daemon-link.js';
import { Desktop, type Shown } from './desktop.js';
import { openVault } from './keychain/open-vault.js';
import { startManager, type Manager } from './manager/server.js';
import { cleanText } from './model/outside-text.js';
import { updateRecent, type RecentServer } from './model/recent-servers.js';
import type { TrayAction } from './model/tray-view.js';
import { viewOf } from './model/view-of.js';
import { askTray, lockTray } from './single-tray.js';
import { openWindow } from './windows/app-window.js';
import { hasScreen } from './windows/browsers.js';
import { askInDialog } from './windows/dialog.js';

export interface AgentOptions {
  /** The daemon's runtime directory, where it is not the usual one. */
  readonly runtimeDir?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The program with its arguments that starts a tray, for the autostart file. */
  readonly command: readonly string[];
  /** Whether the manager is shown at once. */
  readonly manager: 'later' | 'now';
}

const pauseMinutes = 15;
/** What happens at every login within this time (the daemon answers, the keychain opens) is not shown as trouble. */
const settleMs = 1500;
/** Sessions report every second, and there may be hundreds: the tray is drawn no more often than this. */
const drawMs = 100;
const maxSentence = 500;
/** While paused the menu counts minutes. */
const pauseLookMs = 15_000;

/** Runs until a signal or Quit; resolves with the exit code. Rejects with a Fault as root, and where another tray runs. */
export async function runAgent(options: AgentOptions): Promise<number> {
  if (isMachine()) {
    throw new Fault(
      'not-permitted',
      'The tray belongs to a person and does not run as root. Start it as the user who sits at the desktop: ftpseal tray',
    );
  }
  outlastSurroundings();
  const folder = runtimeDirOf({});
  if (options.manager === 'now' && (await askTray(folder, 'manager'))) return EXIT.done;
  const agent = new Agent(options);
  const lock = await lockTray(folder, (request) => {
    agent.act({ kind: request === 'manager' ? 'showManager' : 'quit' });
  });
  if (lock === undefined) throw new Fault('usage', 'A tray of yours runs already.');
  try {
    await agent.start();
    if (options.manager === 'now') agent.act({ kind: 'showManager' });
    await agent.ended;
  } finally {
    await agent.close();
    lock.release();
  }
  return EXIT.done;
}

/** Ends the user's tray if one runs, as Quit in its menu does; false if none runs. */
export function quitAgent(): Promise<boolean> {
  return askTray(runtimeDirOf({}), 'quit');
}

class Agent {
  readonly ended: Promise<void>;
  readonly #options: AgentOptions;
  readonly #stateDir = stateDirOf({});
  readonly #place: AutostartPlace;
  readonly #link: DaemonLink;
  readonly #desktop: Desktop;
  #quit: () => void = () => undefined;
  #manager: Manager | undefined;
  #recent: readonly RecentServer[] = [];
  /** Questions for which a window was opened because nothing else could show them. */
  readonly #raised = new Set<string>();
  #pauseTimer: NodeJS.Timeout | undefined;
  #drawTimer: NodeJS.Timeout | undefined;
  #drawnAt = 0;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#place = autostartPlace(options.command, options.env);
    this.ended = new Promise((resolve) => {
      this.#quit = resolve;
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, resolve);
    });
    this.#link = connectDaemon({ runtimeDir: options.runtimeDir, vault: openVault(options.env) });
    this.#desktop = new Desktop(
      {
        env: options.env,
        stateDir: this.#stateDir,
        say,
        onAction: (action) => {
          this.act(action);
        },
        notifications: {
          onDetails: (id) => {
            this.act({ kind: 'showQuestion', id });
          },
          onManager: () => {
            this.act({ kind: 'showManager' });
          },
          onRefuse: (id) => void this.#attempt(() => this.#answer(id, 'refuse')),
        },
      },
      this.#shown(),
    );
  }

  async start(): Promise<void> {
    await makePrivateFolder(this.#stateDir);
    // A helper's program must never be looked for in a folder that somebody else chose.
    process.chdir(this.#stateDir);
    const link = this.#link;
    this.#manager = await startManager({ link }).catch((error: unknown) => {
      say(Fault.from(error).userMessage);
      return undefined;
    });
    await this.#settled();
    await this.#desktop.start();
    link.subscribe(() => {
      this.#drawSoon();
    });
    this.#onState(link.state);
  }

  async close(): Promise<void> {
    clearTimeout(this.#pauseTimer);
    clearTimeout(this.#drawTimer);
    await this.#desktop.close();
    await this.#manager?.close();
    this.#link.close();
  }

  /** Does what a click asked for; what goes wrong is said. */
  act(action: TrayAction): void {
    void this.#attempt(() => this.#do(action));
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      say(Fault.from(error).userMessage);
    }
    this.#desktop.show(this.#shown());
  }

  async #do(action: TrayAction): Promise<void> {
    switch (action.kind) {
      case 'showQuestion':
        return this.#showQuestion(action.id);
      case 'showServers':
        return this.#open('keys');
      case 'showManager':
        return this.#open('now');
      case 'pause':
        await this.#link.request('pause', { minutes: pauseMinutes });
        return;
      case 'resume':
        await this.#link.request('resume', {});
        return;
      case 'toggleAutostart':
        return setStartsAtLogin(this.#place, !startsAtLogin(this.#place));
      case 'quit':
        this.#quit();
        return;
      default:
        return assertNever(action);
    }
  }

  #settled(): Promise<void> {
    const isSettled = ({ daemon, vault }: AgentState): boolean =>
      daemon.kind === 'connected' && vault.kind !== 'slow';
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        unsubscribe();
        resolve();
      };
      const timer = setTimeout(end, settleMs);
      const unsubscribe = this.#link.subscribe((state) => {
        if (isSettled(state)) end();
      });
      if (isSettled(this.#link.state)) end();
      void this.ended.then(end);
    });
  }

  #drawSoon(): void {
    this.#drawTimer ??= setTimeout(
      () => {
        this.#drawTimer = undefined;
        this.#drawnAt = performance.now();
        this.#onState(this.#link.state);
      },
      Math.max(0, this.#drawnAt + drawMs - performance.now()),
    );
  }

  #onState(state: AgentState): void {
    this.#recent = updateRecent(this.#recent, state.sessions);
    this.#desktop.show(this.#shown());
    this.#raiseUnseen(state);
    clearTimeout(this.#pauseTimer);
    if (state.status?.pausedUntil !== undefined) {
      this.#pauseTimer = setTimeout(() => {
        this.#onState(this.#link.state);
      }, pauseLookMs);
    }
  }

  #shown(): Shown {
    const { state } = this.#link;
    const autostart = startsAtLogin(this.#place);
    const view = viewOf(state, { recent: this.#recent, autostart, now: Date.now() });
    return { view, questions: state.questions };
  }

  /** Where neither icon nor notification can be seen, the question's window opens by itself: one at a time. */
  #raiseUnseen({ questions }: AgentState): void {
    for (const id of this.#raised) if (!questions.some((one) => one.id === id)) this.#raised.delete(id);
    const next = questions.find(({ id, waiting }) => waiting > 0 && !this.#raised.has(id));
    if (next === undefined || this.#desktop.canShow || this.#raised.size > 0) return;
    if (!hasScreen(this.#options.env)) return;
    this.#raised.add(next.id);
    this.act({ kind: 'showQuestion', id: next.id });
  }

  async #showQuestion(id: string): Promise<void> {
    try {
      await this.#open(`question/${id}`);
    } catch (error) {
      if (Fault.from(error).code !== 'missing-tool') throw error;
      const question = this.#link.state.questions.find((one) => one.id === id);
      if (question === undefined) throw error;
      const answer = await askInDialog(question, this.#options.env);
      if (answer !== undefined) await this.#answer(id, answer);
    }
  }

  async #answer(id: string, answer: 'once' | 'refuse'): Promise<void> {
    await this.#link.request('prompts.answer', { id, answer });
  }

  async #open(page: string): Promise<void> {
    if (this.#manager === undefined) throw new Fault('network', 'The manager does not run; see above.');
    await openWindow(this.#manager.urlFor(page), { stateDir: this.#stateDir, env: this.#options.env });
  }
}

/** For whoever looks at the terminal or at the desktop session's log. */
function say(sentence: string): void {
  process.stderr.write(`ftpseal: ${cleanText(sentence, maxSentence)}\n`);
}
