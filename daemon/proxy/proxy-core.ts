// The proxy's main thread, whichever way connections come in: it owns the workers, the trust, the sessions' table and
// the IPC server.
import { formatEndpoint, type Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { ConfigView } from '../../shared/ipc-messages.js';
import type { Connection } from '../../shared/trust.js';
import type { Config } from '../config.js';
import { History } from '../history/history.js';
import { HistoryRecorder } from '../history/recorder.js';
import { AgentRegistry } from '../ipc/agents.js';
import { dispatcher } from '../ipc/dispatch.js';
import { MetricsServer } from '../ipc/metrics-server.js';
import { metricsText } from '../ipc/metrics-text.js';
import { ipcMethodTable, statusFor, type IpcWorld } from '../ipc/methods.js';
import { IpcServer } from '../ipc/server.js';
import { socketPath } from '../ipc/socket-path.js';
import type { NameSource } from '../names/address-names.js';
import { CertificateNames } from '../names/certificate-names.js';
import { nameSource } from '../names/name-source.js';
import type { SessionState } from '../pool/messages.js';
import { firstState } from '../pool/session-state.js';
import type { WorkerData } from '../pool/worker-data.js';
import { WorkerPool, type PoolListener } from '../pool/worker-pool.js';
import type { Log } from '../sys/log.js';
import { ownUser } from '../sys/own-user.js';
import { QuietTimes } from '../sys/quiet-times.js';
import { steadyNow } from '../sys/steady-clock.js';
import { AdministeredStore } from '../trust/administered-store.js';
import { FileStore } from '../trust/file-store.js';
import { FixedKeys } from '../trust/fixed-keys.js';
import { KeychainStore } from '../trust/keychain-store.js';
import { KeychainUsers } from '../trust/keychain-users.js';
import { PromptBroker } from '../trust/prompt-broker.js';
import { serverLabel } from '../trust/sentences.js';
import type { TrustStore } from '../trust/store.js';
import { TrustService, type TrustSurroundings } from '../trust/trust-service.js';
import { claimedNames } from '../trust/vouched-names.js';
import { DeviceSessions } from './device-sessions.js';
import { Counters } from './counters.js';
import { HostNames, resolveName } from './host-names.js';
import { pauseObstacle, Pauses } from './pauses.js';
import { RedirectState, type RedirectSide } from './redirect-side.js';
import type { ServerRegistry } from './server-registry.js';
import { ServerNames } from './server-names.js';
import { ServerPolicy } from './server-policy.js';
import { SessionTable } from './session-table.js';
import { StrongServers } from './strong-servers.js';
import { WorkerAnswers } from './worker-answers.js';

export interface ProxyOptions {
  readonly config: Config;
  readonly configView: ConfigView;
  /** Where the administrator puts keys for everybody. */
  readonly keysFolder: string;
  readonly stateDir: string;
  readonly runtimeDir: string;
  readonly log: Log;
  readonly version: string;
  readonly workers: readonly WorkerData[];
  readonly workerEntry: URL;
  readonly redirect: RedirectSide | undefined;
  /** Where the explicit proxy listens, for `status`. */
  readonly listen: readonly Endpoint[];
}

const sweepMs = 30_000;

/** `start` once, then `stop` once; `stop` may come at any time after the constructor of `start` resolved. */
export class ProxyCore {
  readonly #options: ProxyOptions;
  readonly #sessions = new SessionTable();
  readonly #broker = new PromptBroker();
  readonly #history: History;
  readonly #recorder: HistoryRecorder;
  readonly #agents: AgentRegistry;
  readonly #lookups: NameSource | undefined;
  readonly #names: ServerNames;
  readonly #fixed: FixedKeys;
  readonly #store: TrustStore;
  readonly #trust: TrustService;
  readonly #pauses: Pauses;
  readonly #strong = new StrongServers();
  readonly #redirect: RedirectState | undefined;
  readonly #answers: WorkerAnswers;
  readonly #devices: DeviceSessions;
  readonly #pool: WorkerPool;
  readonly #registry: ServerRegistry | undefined;
  readonly #counters = new Counters();
  readonly #startedAt = Date.now();
  #ipc: IpcServer | undefined;
  #metrics: MetricsServer | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #quiet: QuietTimes | undefined;

  private constructor(options: ProxyOptions, agents: AgentRegistry, fixed: FixedKeys, store: TrustStore) {
    const { config, log, redirect } = options;
    this.#options = options;
    this.#fixed = fixed;
    this.#store = new AdministeredStore(store, fixed);
    this.#agents = agents;
    this.#lookups = lookupsOf(options);
    this.#names = new ServerNames(
      new HostNames(config, resolveName, steadyNow, () => fixed.names),
      this.#lookups,
    );
    this.#history = History.open(options.stateDir);
    this.#recorder = new HistoryRecorder(this.#history);
    this.#broker.subscribe(this.#recorder.question.bind(this.#recorder));
    this.#trust = new TrustService({
      store: this.#store,
      peopleMayTrust: config.users.mayTrust,
      broker: this.#broker,
      now: Date.now,
      claimedName: claimedNameBy(config),
      programOf: (connection) => this.#programOf(connection),
      note: (message, fields) => {
        log.info(message, fields);
      },
      observe: (event) => {
        if (event.kind === 'refused') this.#counters.refused();
        this.#recorder.trust(event);
      },
    });
    this.#devices = new DeviceSessions({
      most: config.divert.forwardedSessions,
      sessions: (client) => this.#sessions.ofDevices(client),
      now: Date.now,
    });
    const mode = redirect === undefined ? 'explicit' : 'redirect';
    const warn = log.warn.bind(log);
    const policy = new ServerPolicy({ config, names: this.#names, mode, warn });
    this.#pauses = new Pauses({
      obstacle: pauseObstacle(mode, config.fallback.cleartext, config.users.mayPause),
    });
    this.#registry = redirect?.registry(() => this.#sessions.addresses());
    const { workerEntry: entry, workers } = options;
    this.#pool = new WorkerPool({ entry, workers, listener: this.#listener() });
    if (redirect !== undefined) {
      const ports = () => this.#pool.ports();
      this.#redirect = new RedirectState({ side: redirect, log, ports });
    }
    this.#answers = new WorkerAnswers({
      config,
      log,
      redirect,
      registry: this.#registry,
      names: this.#names,
      policy,
      trust: this.#trust,
      devices: this.#devices,
      pauses: this.#pauses,
      strong: this.#strong,
    });
  }

  /** Opens the store, the workers, the redirect and the IPC socket. Rejects with a Fault; nothing is left then. */
  static async start(options: ProxyOptions): Promise<ProxyCore> {
    const agents = new AgentRegistry(placeOfKeys(options.config));
    const fixed = fixedKeys(options);
    const core = new ProxyCore(options, agents, fixed, await openStore(options, agents));
    try {
      await fixed.load();
      await core.#listenIpc();
      await core.#pool.start();
      await core.#redirect?.make();
    } catch (error) {
      await core.stop(0);
      throw Fault.from(error);
    }
    void core.#ipc?.prepare();
    core.#quiet = new QuietTimes();
    core.#sweeper = setInterval(() => void core.#sweep(), sweepMs).unref();
    return core;
  }

  /** Reads again what the administrator may change while this runs. */
  reload(): void {
    void this.#fixed.load();
  }

  /** Resolves when there is no session, or after that time. */
  async idle(withinMs: number): Promise<void> {
    await this.#sessions.empty(withinMs);
  }

  /** Stops accepting, lets sessions finish within the grace, ends the rest and closes everything. */
  async stop(graceMs: number): Promise<void> {
    clearInterval(this.#sweeper);
    this.#lookups?.close();
    this.#broker.close();
    await this.#pool.stop(graceMs);
    await this.#metrics?.close();
    await this.#ipc?.close();
    this.#history.close();
    await this.#store.close();
  }

  async #listenIpc(): Promise<void> {
    const world: IpcWorld = {
      sessions: this.#sessions,
      store: this.#store,
      fixed: this.#fixed,
      mayTrust: this.#options.config.users.mayTrust,
      broker: this.#broker,
      trust: this.#trust,
      agents: this.#agents,
      pauses: this.#pauses,
      log: this.#options.log,
      now: Date.now,
      state: () => this.#state(),
      history: this.#history,
      config: this.#options.configView,
      closeSession: (id) => {
        const row = this.#sessions.find(id);
        if (row !== undefined) this.#pool.send(row.worker, { kind: 'closeSession', id });
      },
      programOf: (connection) => this.#programOf(connection),
    };
    this.#ipc = await IpcServer.listen(
      socketPath(this.#options.runtimeDir),
      dispatcher(ipcMethodTable(world)),
    );
    await this.#listenMetrics(world);
  }

  /** Without it all else works: a socket that can't be made is a line in the log. */
  async #listenMetrics(world: IpcWorld): Promise<void> {
    const { runtimeDir, log } = this.#options;
    const own = ownUser();
    if (process.platform === 'win32' || own === undefined) return;
    const text = () => metricsText(statusFor(world, { kind: 'all', uid: own }), this.#counters.now);
    try {
      this.#metrics = await MetricsServer.listen(runtimeDir, text);
    } catch (error) {
      log.warn(Fault.from(error).userMessage);
    }
  }

  #listener(): PoolListener {
    const { log } = this.#options;
    return {
      request: (_index, request) => this.#answers.to(request),
      answered: (index, request, answer) => {
        const isBegun = request.kind === 'begin' && answer.kind === 'begun' && answer.refused === undefined;
        if (isBegun) this.#take(index, firstState(request, answer));
      },
      began: (server) => {
        this.#strong.add(server);
      },
      session: (index, state) => {
        this.#take(index, state);
      },
      ended: (index, state, reason) => {
        if (!this.#take(index, state)) return;
        const { id, connection } = state;
        this.#sessions.end(index, id, reason);
        this.#trust.withdraw(id);
        log.info('session ended', { id, reason, server: connection.server.address });
      },
      log: (index, { level, message, fields }) => {
        log.write(level, message, { worker: index, ...fields });
      },
      died: (index, reason) => {
        this.#counters.workerLost();
        const lost = this.#sessions.endAll(index, 'the worker that carried it died');
        log.error('a worker died and is being replaced', { index, reason, sessionsLost: lost });
      },
      replaced: (index) => {
        log.info('a worker was replaced', { index });
        void this.#redirect?.renew();
      },
    };
  }

  /** A session's new state. False if it is not this worker's. */
  #take(index: number, state: SessionState): boolean {
    const { log } = this.#options;
    const last = this.#sessions.find(state.id)?.state;
    const before = last?.protection ?? 'none';
    if (!this.#sessions.put(index, state)) {
      log.error('a worker reported another’s session', { index });
      return false;
    }
    if (last === undefined && state.connection.forwarded === true) this.#devices.began(state.connection);
    if (state.protection !== before && state.protection !== 'none') logProtection(log, state);
    this.#counters.session(state, last);
    this.#recorder.session(state, last);
    this.#quiet?.work();
    return true;
  }

  async #programOf(connection: Connection): Promise<string | undefined> {
    if (connection.forwarded === true) return undefined;
    return this.#options.redirect?.programOf(connection).catch(() => undefined);
  }

  async #sweep(): Promise<void> {
    await this.#fixed.refresh();
    await this.#redirect?.make();
    try {
      await this.#registry?.sweep();
    } catch (error) {
      this.#options.log.warn(Fault.from(error).userMessage, {});
    }
  }

  #state(): ReturnType<IpcWorld['state']> {
    const { config, redirect, version, listen } = this.#options;
    const workers = this.#pool
      .health()
      .map((worker) => ({ ...worker, sessions: this.#sessions.countOf(worker.index) }));
    const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
    return {
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      mode: redirect === undefined ? 'explicit' : 'redirect',
      workers,
      redirect: this.#redirect?.view(config.divert.ports) ?? {
        kind: 'none',
        listen: listen.map(formatEndpoint),
      },
      keysFolder: {
        folder: this.#fixed.folder,
        keys: this.#fixed.records.pins.length,
        troubles: [...this.#fixed.troubles],
      },
      troubles: [
        ...(restarts > 0 ? [`A worker died and was replaced ${restarts} times; see ftpseal log.`] : []),
        ...(redirect?.troubles() ?? []),
        ...orNone(this.#options.log.trouble()),
      ],
    };
  }
}

/** Only the redirect needs it: the explicit proxy is told names. */
function lookupsOf({ config, redirect, log }: ProxyOptions): NameSource | undefined {
  if (redirect === undefined || !config.trust.names.includes('resolver')) return undefined;
  return nameSource({ connect: redirect.openLookups, note: log.info.bind(log), now: steadyNow });
}

function claimedNameBy({ trust }: Config): TrustSurroundings['claimedName'] {
  if (!trust.names.includes('certificate')) return undefined;
  const names = new CertificateNames({ resolve: resolveName });
  return ({ server }, identity) => names.leadingTo(server.address, claimedNames(identity));
}

function orNone(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

function logProtection(log: Log, { id, connection, protection, protocol, cipher }: SessionState): void {
  log.info(`session ${protection}`, {
    id,
    server: serverLabel(connection),
    ...(connection.uid === undefined ? {} : { uid: connection.uid }),
    ...(connection.forwarded === true ? { device: connection.client.address } : {}),
    ...(protocol === undefined ? {} : { protocol }),
    ...(cipher === undefined ? {} : { cipher }),
  });
}

/** A keychain is its user's to change, so it is no place for keys that people may not trust by themselves. */
function placeOfKeys({ trust, users }: Config): 'keychain' | 'file' {
  return users.mayTrust ? trust.store : 'file';
}

function fixedKeys({ keysFolder, redirect, log }: ProxyOptions): FixedKeys {
  const own = ownUser();
  // The explicit proxy is its user's own. The machine's runs as a user who is no administrator.
  const also = own === undefined || (redirect !== undefined && process.platform !== 'win32') ? [] : [own];
  return new FixedKeys({
    folder: keysFolder,
    also,
    note: (level, message, fields) => {
      log[level](message, fields);
    },
  });
}

async function openStore(
  { config, stateDir, log }: ProxyOptions,
  agents: AgentRegistry,
): Promise<TrustStore> {
  const file = await FileStore.open(stateDir, (trouble) => {
    if (trouble === undefined) log.info('the key store can be written again');
    else log.error(trouble);
  });
  if (placeOfKeys(config) === 'file') return file;
  const note = log.info.bind(log);
  return new KeychainStore({ file, users: await KeychainUsers.open(stateDir), agents, note });
}
