// The proxy's main thread, whichever way connections come in: it owns the workers, the trust, the sessions' table and
// the IPC server, and answers what the workers ask.
import type { Socket } from 'node:net';
import { formatEndpoint, type Endpoint } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import type { ConfigView } from '../../shared/ipc-messages.js';
import type { Connection } from '../../shared/trust.js';
import { policyOf, type Config } from '../config.js';
import type { AcceptedEnds, ConnectionOrigin } from '../divert/diverter.js';
import { History } from '../history/history.js';
import { HistoryRecorder } from '../history/recorder.js';
import { AgentRegistry } from '../ipc/agents.js';
import { dispatcher } from '../ipc/dispatch.js';
import { MetricsServer } from '../ipc/metrics-server.js';
import { metricsText } from '../ipc/metrics-text.js';
import { ipcMethodTable, statusFor, type IpcWorld } from '../ipc/methods.js';
import { IpcServer } from '../ipc/server.js';
import { socketPath } from '../ipc/socket-path.js';
import { CertificateNames } from '../names/certificate-names.js';
import { ResolvedMonitor } from '../names/resolved-monitor.js';
import type { SessionState, WorkerAnswer, WorkerRequest } from '../pool/messages.js';
import type { WorkerData } from '../pool/worker-data.js';
import { WorkerPool, type PoolListener, type ReadyPorts } from '../pool/worker-pool.js';
import type { Log } from '../sys/log.js';
import { ownUser } from '../sys/own-user.js';
import { steadyNow } from '../sys/steady-clock.js';
import { SAFETP_NAME } from '../security/safetp.js';
import { AdministeredStore } from '../trust/administered-store.js';
import { FileStore } from '../trust/file-store.js';
import { FixedKeys } from '../trust/fixed-keys.js';
import { KeychainStore } from '../trust/keychain-store.js';
import { KeychainUsers } from '../trust/keychain-users.js';
import { PromptBroker } from '../trust/prompt-broker.js';
import { serverLabel } from '../trust/sentences.js';
import type { TrustStore } from '../trust/store.js';
import { TrustService } from '../trust/trust-service.js';
import { claimedNames } from '../trust/vouched-names.js';
import { DeviceSessions } from './device-sessions.js';
import { Counters } from './counters.js';
import { HostNames, resolveName } from './host-names.js';
import { pauseObstacle, Pauses } from './pauses.js';
import type { ServerRegistry } from './server-registry.js';
import { ServerNames } from './server-names.js';
import { ServerPolicy } from './server-policy.js';
import { SessionTable } from './session-table.js';
import { StrongServers } from './strong-servers.js';

/** The redirect layer as this process reaches it; absent in the explicit proxy. */
export interface RedirectSide {
  readonly registry: (inUse: () => ReturnType<SessionTable['addresses']>) => ServerRegistry;
  /** Installs the redirect to these ports, in the order of the workers. */
  readonly workersReady: (ports: readonly ReadyPorts[]) => Promise<void>;
  /** Whether the proxy ends where the redirect can't be made, or stays and tries again. */
  readonly withoutIt: 'end' | 'stay';
  /** What a person should know about the rules. */
  readonly troubles: () => readonly string[];
  readonly programOf: (connection: Connection) => Promise<string | undefined>;
  /** What an accepted connection was before the redirect, where the kernel can't tell. */
  readonly originOf: (ends: AcceptedEnds) => Promise<ConnectionOrigin | undefined>;
  /** A connection to what reports the look-ups of this machine's programs. Rejects with a Fault where there is nothing of the kind. */
  readonly openLookups: () => Promise<Socket>;
}

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
  readonly #lookups: ResolvedMonitor | undefined;
  readonly #names: ServerNames;
  readonly #policy: ServerPolicy;
  readonly #fixed: FixedKeys;
  readonly #store: TrustStore;
  readonly #trust: TrustService;
  readonly #pauses: Pauses;
  readonly #strong = new StrongServers();
  readonly #devices: DeviceSessions;
  readonly #pool: WorkerPool;
  readonly #registry: ServerRegistry | undefined;
  readonly #counters = new Counters();
  readonly #startedAt = Date.now();
  #ipc: IpcServer | undefined;
  #metrics: MetricsServer | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #redirectFault: string | undefined;
  #redirected = false;

  private constructor(options: ProxyOptions, agents: AgentRegistry, fixed: FixedKeys, store: TrustStore) {
    this.#options = options;
    this.#fixed = fixed;
    this.#store = new AdministeredStore(store, fixed);
    this.#agents = agents;
    this.#lookups = lookupsOf(options);
    this.#names = new ServerNames(
      new HostNames(options.config, resolveName, steadyNow, () => fixed.names),
      this.#lookups,
    );
    const certificateNames = new CertificateNames({ resolve: resolveName });
    const usesCertificates = options.config.trust.names.includes('certificate');
    this.#history = History.open(options.stateDir);
    this.#recorder = new HistoryRecorder(this.#history);
    this.#broker.subscribe((event) => {
      this.#recorder.question(event);
    });
    this.#trust = new TrustService({
      store: this.#store,
      peopleMayTrust: options.config.users.mayTrust,
      broker: this.#broker,
      now: Date.now,
      claimedName: async ({ server }, identity) =>
        usesCertificates ? certificateNames.leadingTo(server.address, claimedNames(identity)) : undefined,
      programOf: (connection) => this.#programOf(connection),
      note: (message, fields) => {
        options.log.info(message, fields);
      },
      observe: (event) => {
        if (event.kind === 'refused') this.#counters.refused();
        this.#recorder.trust(event);
      },
    });
    this.#devices = new DeviceSessions({
      most: options.config.divert.forwardedSessions,
      sessions: (client) => this.#sessions.ofDevices(client),
      now: Date.now,
    });
    const mode = options.redirect === undefined ? 'explicit' : 'redirect';
    const warn = options.log.warn.bind(options.log);
    this.#policy = new ServerPolicy({ config: options.config, names: this.#names, mode, warn });
    this.#pauses = new Pauses({
      obstacle: pauseObstacle(mode, options.config.fallback.cleartext, options.config.users.mayPause),
    });
    this.#registry = options.redirect?.registry(() => this.#sessions.addresses());
    const { workerEntry: entry, workers } = options;
    this.#pool = new WorkerPool({ entry, workers, listener: this.#listener() });
  }

  /** Opens the store, the workers, the redirect and the IPC socket. Rejects with a Fault; nothing is left then. */
  static async start(options: ProxyOptions): Promise<ProxyCore> {
    const agents = new AgentRegistry(placeOfKeys(options.config));
    const fixed = fixedKeys(options);
    const core = new ProxyCore(options, agents, fixed, await openStore(options, agents));
    try {
      await fixed.load();
      await core.#listenIpc();
      const ports = await core.#pool.start();
      await core.#redirectFirst(ports);
    } catch (error) {
      await core.stop(0);
      throw Fault.from(error);
    }
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
      request: (_index, request) => this.#answer(request),
      withdraw: (sessionId) => {
        this.#trust.withdraw(sessionId);
      },
      began: (server) => {
        this.#strong.add(server);
      },
      session: (index, state) => {
        const last = this.#sessions.find(state.id)?.state;
        const before = last?.protection ?? 'none';
        if (!this.#sessions.put(index, state)) {
          log.error('a worker reported another’s session', { index });
          return;
        }
        if (last === undefined && state.connection.forwarded === true) this.#devices.began(state.connection);
        if (state.protection !== before && state.protection !== 'none') logProtection(log, state);
        this.#counters.session(state, last);
        this.#recorder.session(state, last);
      },
      ended: (index, id, reason) => {
        const state = this.#sessions.end(index, id, reason);
        this.#trust.withdraw(id);
        log.info('session ended', { id, reason, server: state?.connection.server.address ?? '?' });
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
        void this.#redirectAgain();
      },
    };
  }

  async #redirectFirst(ports: readonly ReadyPorts[]): Promise<void> {
    const { redirect, log } = this.#options;
    if (redirect === undefined) return;
    try {
      await redirect.workersReady(ports);
      this.#redirected = true;
      this.#redirectFault = undefined;
    } catch (error) {
      if (redirect.withoutIt === 'end') throw error;
      const sentence = Fault.from(error).userMessage;
      if (sentence !== this.#redirectFault) log.error('connections are not redirected', { sentence });
      this.#redirectFault = sentence;
    }
  }

  /** A replacement may listen on other ports. While another worker is away the list is not whole: its replacement sends it. */
  async #redirectAgain(): Promise<void> {
    const ports = this.#pool.ports();
    if (ports === undefined || !this.#redirected) return;
    try {
      await this.#options.redirect?.workersReady(ports);
      this.#redirectFault = undefined;
    } catch (error) {
      this.#redirectFault = Fault.from(error).userMessage;
      this.#options.log.error('the redirect could not be renewed', { sentence: this.#redirectFault });
    }
  }

  async #answer(request: WorkerRequest): Promise<WorkerAnswer> {
    switch (request.kind) {
      case 'begin':
        return this.#begin(request.connection);
      case 'reserve': {
        if (this.#registry === undefined) return { kind: 'reserved' };
        return { kind: 'reserved', activePort: await this.#registry.reserve(request.address) };
      }
      case 'origin':
        return originAnswer(await this.#options.redirect?.originOf(request));
      case 'judge': {
        const { sessionId, question } = request;
        const connection = this.#renamed(request.connection);
        const policy = await this.#policy.of(connection);
        const decision = await this.#trust.judge(sessionId, connection, policy, question);
        if (decision.kind === 'allow' && decision.warning !== undefined) {
          this.#options.log.warn(decision.warning, { session: sessionId });
        }
        return { kind: 'decided', decision };
      }
    }
  }

  async #begin(connection: Connection): Promise<WorkerAnswer> {
    const refused = connection.forwarded === true ? this.#devices.admit(connection) : undefined;
    if (refused !== undefined) return this.#notBegun(connection, refused);
    const naming = await this.#names.of(connection);
    const named = { ...connection, ...naming };
    const knownSecure = this.#trust.knownSecure(named);
    const strongOnly =
      this.#strong.has(named.server) || (knownSecure && !(await this.#trust.onlyKnownBy(named, SAFETP_NAME)));
    return {
      kind: 'begun',
      knownSecure,
      strongOnly,
      paused: this.#isPaused(named),
      ...this.#policy.begunWith(naming, connection, knownSecure),
    };
  }

  #notBegun({ client, server }: Connection, refused: string): WorkerAnswer {
    this.#options.log.warn('a device was refused', {
      client: client.address,
      server: server.address,
      refused,
    });
    return { kind: 'begun', knownSecure: true, strongOnly: true, paused: false, refused };
  }

  #renamed(connection: Connection): Connection {
    const { name, nameFrom, alsoNamed, namesIncomplete, ...rest } = connection;
    const known = { name, nameFrom, alsoNamed, namesIncomplete };
    return { ...rest, ...this.#names.refreshed(known, connection.server) };
  }

  /** What the administrator wants encrypted is not for a person to pause. */
  #isPaused(connection: Connection): boolean {
    if (this.#pauses.untilOf(connection.uid) === undefined) return false;
    const { fallback } = policyOf(this.#options.config, connection);
    return fallback.cleartext !== 'refuse';
  }

  async #programOf(connection: Connection): Promise<string | undefined> {
    if (connection.forwarded === true) return undefined;
    return this.#options.redirect?.programOf(connection).catch(() => undefined);
  }

  async #sweep(): Promise<void> {
    await this.#fixed.refresh();
    const ports = this.#redirected ? undefined : this.#pool.ports();
    if (ports !== undefined) await this.#redirectFirst(ports);
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
      redirect:
        redirect === undefined
          ? { kind: 'none', listen: listen.map(formatEndpoint) }
          : this.#redirectFault !== undefined
            ? { kind: 'failed', sentence: this.#redirectFault }
            : this.#redirected
              ? { kind: 'active', ports: [...config.divert.ports] }
              : { kind: 'starting' },
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
function lookupsOf({ config, redirect, log }: ProxyOptions): ResolvedMonitor | undefined {
  if (redirect === undefined || process.platform !== 'linux') return undefined;
  if (!config.trust.names.includes('resolver')) return undefined;
  const note = log.info.bind(log);
  return new ResolvedMonitor({ connect: redirect.openLookups, note, now: steadyNow });
}

function orNone(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

function originAnswer(origin: ConnectionOrigin | undefined): WorkerAnswer {
  if (origin === undefined) return { kind: 'origin' };
  const { client, server, uid } = origin;
  return { kind: 'origin', origin: { client, server, ...(uid === undefined ? {} : { uid }) } };
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
