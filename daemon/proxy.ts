// The two ways to run the proxy: as the supervisor's child without privileges, and as the explicit proxy that any user
// may run. What both do is daemon/proxy/proxy-core.ts.
import { dirname, join, resolve } from 'node:path';
import { Fault, EXIT } from '../shared/fault.js';
import type { Endpoint } from '../shared/endpoint.js';
import { loadConfigFile } from './config-load.js';
import { configView } from './config-view.js';
import { KEYS_FOLDER } from './trust/keys-folder-name.js';
import type { Config } from './config.js';
import { STOP_GRACE_MS, withoutRedirect, type StartMessage } from './privops.js';
import type { WorkerData } from './pool/worker-data.js';
import type { ReadyPorts } from './pool/worker-pool.js';
import { ProxyCore } from './proxy/proxy-core.js';
import type { RedirectSide } from './proxy/redirect-side.js';
import { RuleTroubles } from './proxy/rule-troubles.js';
import { ServerRegistry } from './proxy/server-registry.js';
import { SupervisorLink, type ParentChannel } from './proxy/supervisor-link.js';
import { openJournal } from './sys/journal.js';
import { Log, type LogLevel } from './sys/log.js';
import { ownUser } from './sys/own-user.js';
import { freeBuffersPromptly } from './sys/garbage-collector.js';
import { standBeforeSupervisor } from './sys/memory-pressure.js';
import { hardenProcess } from './sys/process-hardening.js';
import { programVersion } from './sys/program-version.js';
import { steadyNow } from './sys/steady-clock.js';
import { hold } from './sys/windows/exclusive-file.js';

export interface ProxyProcessOptions {
  readonly configPath: string | undefined;
  readonly stateDir: string;
  readonly runtimeDir: string;
  readonly foreground: boolean;
  readonly logLevel: LogLevel;
  /** Called when connections are accepted. */
  readonly onReady: () => void;
}

const workerEntry = new URL('./pool/worker.js', import.meta.url);

/**
 * The supervisor's child: waits for its `start`, runs until its `stop`, SIGTERM or its end. Resolves with the exit
 * code; rejects with a Fault if it can't start.
 */
export async function runProxyProcess(options: ProxyProcessOptions): Promise<number> {
  standBeforeSupervisor();
  hardenProcess();
  freeBuffersPromptly();
  // A Ctrl-C on the terminal reaches both processes; the supervisor decides what it means.
  process.on('SIGINT', () => undefined);
  const end = new Ending();
  let reload = (): void => undefined;
  const rules = new RuleTroubles();
  const link = new SupervisorLink(parentChannel(), {
    stop: end.request,
    reload: () => {
      reload();
    },
    rules: (news) => {
      rules.hear(news, Date.now());
    },
  });
  process.on('SIGTERM', () => {
    end.request(STOP_GRACE_MS, 'SIGTERM');
  });
  const start = await Promise.race([link.start, end.requested.then(() => undefined)]);
  if (start === undefined) return EXIT.done;
  await awaitPredecessor(options.runtimeDir);
  const ground = await groundOf(options);
  const { log } = ground;
  const core = await ProxyCore.start({
    ...ground,
    workers: redirectWorkers(ground.config, start),
    redirect: redirectSide(link, start, rules),
    listen: [],
  });
  reload = () => {
    core.reload();
  };
  options.onReady();
  log.info('the proxy is ready', { workers: start.shares.length, user: ownUser() ?? 'unknown' });
  void link.retired.then(async (withinMs) => {
    log.info('retiring: the end comes with the last session', { withinMs });
    await core.idle(withinMs);
    end.request(STOP_GRACE_MS, 'retired');
  });
  return finish(core, log, end);
}

/** The proxy of a service that was killed ends its sessions first. On Linux the supervisor waits for it, by an inherited lock. */
async function awaitPredecessor(runtimeDir: string): Promise<void> {
  if (process.platform !== 'win32') return;
  const held = await hold(join(runtimeDir, 'proxy.lock'), STOP_GRACE_MS + 3000);
  if (held === undefined) throw new Fault('internal', 'Another proxy process of ftpseal does not end.');
}

export interface ExplicitProxyOptions extends ProxyProcessOptions {
  readonly listen: readonly Endpoint[];
}

/** The explicit proxy: runs until SIGINT or SIGTERM. Resolves with the exit code; rejects with a Fault. */
export async function runExplicitProxy(options: ExplicitProxyOptions): Promise<number> {
  // Other programs of the same user could read every password out of it. macOS has nothing of the kind.
  if (process.platform === 'linux') hardenProcess();
  freeBuffersPromptly();
  const end = new Ending();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      end.request(STOP_GRACE_MS, signal);
    });
  }
  const ground = await groundOf(options);
  const { config, log } = ground;
  const listen: WorkerData['listen'] = { kind: 'endpoints', control: options.listen };
  const core = await ProxyCore.start({
    ...ground,
    workers: [{ index: 0, workers: 1, mode: 'explicit', config, listen }],
    redirect: undefined,
    listen: options.listen,
  });
  options.onReady();
  return finish(core, log, end);
}

/** What both ways need before they differ. */
async function groundOf({ configPath, stateDir, runtimeDir, foreground, logLevel }: ProxyProcessOptions) {
  const { config, source } = await loadConfigFile(configPath);
  // In the foreground its lines are in the journal already.
  const journal = foreground ? undefined : openJournal();
  const log = new Log({ stateDir, foreground, level: logLevel, journal });
  return {
    stateDir,
    runtimeDir,
    config,
    keysFolder: join(dirname(resolve(source.file)), KEYS_FOLDER),
    configView: configView(config, source),
    log,
    version: programVersion(),
    workerEntry,
  };
}

async function finish(core: ProxyCore, log: Log, end: Ending): Promise<number> {
  const { graceMs, reason } = await end.requested;
  log.info('stopping', { reason });
  await core.stop(graceMs);
  log.close();
  return EXIT.done;
}

/** The first request to end counts; later ones change nothing. */
class Ending {
  readonly requested: Promise<{ readonly graceMs: number; readonly reason: string }>;
  request: (graceMs: number, reason: string) => void = () => undefined;

  constructor() {
    this.requested = new Promise((resolve) => {
      this.request = (graceMs, reason) => {
        resolve({ graceMs, reason });
      };
    });
  }
}

function redirectWorkers(config: Config, { shares }: StartMessage): readonly WorkerData[] {
  return shares.map((share, index) => ({
    index,
    workers: shares.length,
    mode: 'redirect',
    config,
    listen: { kind: 'loopback', range: share.listen },
    virtual: share.virtual,
    sourcePorts: share.sourcePorts,
  }));
}

function redirectSide(link: SupervisorLink, start: StartMessage, rules: RuleTroubles): RedirectSide {
  return {
    troubles: () => rules.sentences(Date.now()),
    withoutIt: withoutRedirect,
    registry: (inUse) =>
      new ServerRegistry({
        active: start.active,
        apply: (servers) => link.setServers(servers),
        inUse,
        now: steadyNow,
      }),
    workersReady: (ports) =>
      link.workersReady(start.shares.map((share, index) => workerPorts(share, ports[index]))),
    programOf: (connection) => link.programOf(connection),
    originOf: (ends) => link.originOf(ends),
    openLookups: () => link.openLookups(),
  };
}

function workerPorts(share: StartMessage['shares'][number], ports: ReadyPorts | undefined) {
  const control = ports?.control[0]?.port;
  const data = ports?.data[0]?.port;
  const dataLast = ports?.data.at(-1)?.port;
  if (control === undefined || data === undefined) {
    throw new Fault('internal', 'A worker does not listen on a control and a data port.');
  }
  return { control, data, ...(dataLast === data ? {} : { dataLast }), virtual: share.virtual };
}

function parentChannel(): ParentChannel {
  const send = process.send?.bind(process);
  if (send === undefined) {
    throw new Fault('usage', 'proxy-process is started by `ftpseal daemon` and by nothing else.');
  }
  return {
    // A parent that has gone is noticed by `onDisconnect`; what was still to be said to it does not matter.
    send: (message) => void send(message, undefined, undefined, () => undefined),
    onMessage: (listener) => {
      process.on('message', listener);
    },
    onDisconnect: (listener) => {
      process.on('disconnect', listener);
    },
  };
}
