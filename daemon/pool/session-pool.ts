// The live sessions of one worker, and what they need of the main thread.
import type { Socket } from 'node:net';
import type { Endpoint, IpAddress, Port } from '../../shared/endpoint.js';
import type { HostPolicy } from '../../shared/policy.js';
import type { Connection } from '../../shared/trust.js';
import { policyOf, type Config } from '../config.js';
import { ownReply } from '../ftp/sentences.js';
import type { SessionView } from '../ftp/session.js';
import type { ClientDataPorts, DataOwner } from '../relay/client-data-ports.js';
import { endWith } from '../relay/farewell.js';
import { SessionDriver } from '../relay/session-driver.js';
import { strongMechanisms } from '../security/registry.js';
import { dialServer } from '../relay/upstream.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { SourcePorts } from '../sys/source-ports.js';
import type { MainLink } from './main-link.js';
import type { SessionState } from './messages.js';
import { changeBetween, firstState, stateWith, type Begun } from './session-state.js';

/**
 * Milliseconds until the main thread hears of what can wait. A login takes eight steps in a few of them; whoever watches sessions sees
 * them change four times a second at most.
 */
const REPORT_MS = { count: 1_000, step: 100 } as const;
/** Servers whose quirks are remembered. */
const QUIRKS_MAX = 1_024;

export interface SessionPoolOptions {
  readonly index: number;
  readonly link: MainLink;
  readonly config: Config;
  readonly sourcePorts: SourcePorts | undefined;
  /** The same for data connections, where the redirect layer tells them by it. */
  readonly dataSourcePorts: SourcePorts | undefined;
  /** Something goes on in a session. */
  readonly onWork: () => void;
}

/** A connection that is about to become a session. */
export interface Arrival {
  readonly client: Socket;
  readonly connection: Connection;
  readonly dataPorts: ClientDataPorts;
  readonly greeting: 'forward' | 'swallow';
  readonly dataPath: 'direct' | 'proxied';
  readonly early: Uint8Array;
  /** A connection to the server that stands already or is being made; used for the first dial. */
  readonly dialled: Dialled;
}

/** Undefined: none is. The promise may be left alone: nobody has to hear of its rejection. */
export type Dialled = Socket | Promise<Socket> | undefined;

interface Start {
  readonly state: SessionState;
  readonly policy: HostPolicy;
  readonly knownSecure: boolean;
  readonly dialled: Dialled;
}

interface Entry {
  readonly driver: SessionDriver;
  /** What of `view` the state has taken in. */
  view: SessionView;
  state: SessionState;
  report: { readonly timer: NodeJS.Timeout; readonly ms: number } | undefined;
}

/** Owns every session from `start` on; the main thread knows of each until it has ended. */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #facts = {
    noEpsv: new Set<IpAddress>(),
    passiveWorks: new Set<IpAddress>(),
    tlsBegan: new Set<IpAddress>(),
  };
  readonly #reserved = new Map<IpAddress, Promise<Port | undefined>>();
  #count = 0;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Asks what is known of the server, dials unless that was done already, and runs the session. Never rejects: the client is told. */
  async start(arrival: Arrival): Promise<void> {
    const { client } = arrival;
    const id = `${this.#options.index}-${(this.#count += 1)}`;
    const onError = (): void => {
      client.destroy();
    };
    client.on('error', onError);
    // A device may be refused, and shall not make us call servers for nothing.
    const isDevice = arrival.connection.forwarded === true;
    const dialled = arrival.dialled ?? (isDevice ? undefined : this.dialAhead(arrival.connection.server));
    const first = { id, connection: arrival.connection, startedAt: Date.now() };
    const begun = await this.#begin(first);
    const { knownSecure, strongOnly, paused, refused } = begun;
    if (refused !== undefined) {
      endWith(client, ownReply(421, refused));
      hangUp(dialled);
      return;
    }
    client.off('error', onError);
    const state = firstState(first, begun);
    if (client.destroyed) {
      hangUp(dialled);
      this.#options.link.tell({ kind: 'ended', state, reason: 'the client hung up' });
      return;
    }
    const { connection } = state;
    const ordinary = policyOf(this.#options.config, connection);
    const allowed = strongOnly ? withoutWeak(ordinary) : ordinary;
    const policy: HostPolicy = paused ? { ...allowed, mode: 'tunnel' } : allowed;
    // Implicit servers listen elsewhere; the name may have come only now.
    const isElsewhere = policy.mode === 'implicit' && connection.server.port === 21;
    if (isElsewhere) hangUp(dialled);
    this.#run(
      { ...arrival, connection },
      { state, policy, knownSecure, dialled: isElsewhere ? undefined : dialled },
    );
  }

  /** While it is found out whose the connection is, and the main thread looks the server up, the one to the server is being made. */
  dialAhead(server: Endpoint): Promise<Socket> {
    const dialled = dialServer(server, this.#options.sourcePorts);
    dialled.catch(() => undefined);
    return dialled;
  }

  /** When the answer can't be had, the server counts as one that was secure: the safe side. */
  async #begin(
    first: Pick<SessionState, 'id' | 'connection' | 'startedAt'>,
  ): Promise<Begun & { readonly refused?: string | undefined }> {
    try {
      return await this.#options.link.ask({ kind: 'begin', ...first }, 'begun');
    } catch {
      return { knownSecure: true, strongOnly: true, paused: false };
    }
  }

  #run(arrival: Arrival, start: Start): void {
    const { connection } = arrival;
    const { id } = start.state;
    const driver = new SessionDriver({
      client: arrival.client,
      owner: ownerOf(connection),
      dataPorts: arrival.dataPorts,
      dataSourcePorts: this.#options.dataSourcePorts,
      authorities: this.#options.config.trust.authorities,
      early: arrival.early,
      context: {
        policy: { ...start.policy, name: start.policy.name ?? connection.name },
        server: connection.server,
        client: connection.client,
        nameFrom: connection.nameFrom,
        knownSecure: start.knownSecure,
        greeting: arrival.greeting,
        dataPath: arrival.dataPath,
        noEpsv: this.#facts.noEpsv.has(connection.server.address),
        passiveProven: this.#facts.passiveWorks.has(connection.server.address),
      },
      dial: this.#dialler(connection.server, start.dialled),
      judge: async (question, { name, nameFrom }) => {
        const now = name === undefined ? connection : { ...connection, name, nameFrom };
        const request = { kind: 'judge' as const, sessionId: id, connection: now, question };
        return (await this.#options.link.ask(request, 'decided')).decision;
      },
      remember: (fact) => {
        const isNews = !this.#facts[fact].has(connection.server.address);
        if (fact === 'tlsBegan' && isNews)
          this.#options.link.tell({ kind: 'began', server: connection.server });
        if (this.#facts[fact].size < QUIRKS_MAX) this.#facts[fact].add(connection.server.address);
      },
      onChange: (view) => {
        this.#update(id, view);
      },
      onBytes: (count, direction) => {
        this.#countBytes(id, count, direction);
      },
      onEnd: (reason) => {
        this.#end(id, reason);
      },
    });
    this.#entries.set(id, { driver, view: driver.view, state: start.state, report: undefined });
    driver.start();
    this.#update(id, driver.view);
  }

  /** The first dial may have been made already. */
  #dialler(server: Endpoint, dialled: Dialled): (port: Port) => Promise<Socket> {
    let first = dialled;
    return async (port) => {
      const ready = first;
      first = undefined;
      return ready ?? dialServer({ ...server, port }, this.#options.sourcePorts);
    };
  }

  /**
   * Makes data connections of this server possible. Asked once: the main thread keeps the reservation of a server that has a
   * session, and a question for every file would cost each of them two thread switches.
   */
  reserve(address: IpAddress): Promise<Port | undefined> {
    const known = this.#reserved.get(address);
    if (known !== undefined) return known;
    const asked = this.#askForPort(address);
    this.#reserved.set(address, asked);
    asked.catch(() => this.#reserved.delete(address));
    return asked;
  }

  async #askForPort(address: IpAddress): Promise<Port | undefined> {
    const { activePort } = await this.#options.link.ask({ kind: 'reserve', address }, 'reserved');
    return activePort;
  }

  close(id: string): void {
    this.#entries.get(id)?.driver.close('closed by request');
  }

  /** Ends sessions with nothing under way, lets the others go on for `graceMs`, then ends them too. Resolves when none is left. */
  drain(graceMs: number): Promise<void> {
    const started = steadyNow();
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const isOver = steadyNow() - started >= graceMs;
        for (const { driver } of [...this.#entries.values()])
          if (isOver || driver.atRest) driver.close('ftpseal is stopping');
        if (this.#entries.size > 0) return;
        clearInterval(timer);
        resolve();
      }, 50);
    });
  }

  #update(id: string, view: SessionView): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const change = changeBetween(entry.view, view);
    if (change === 'none') return;
    entry.view = view;
    entry.state = stateWith(entry.state, view);
    if (change === 'turn') this.#report(entry);
    else this.#reportWithin(entry, REPORT_MS[change]);
  }

  #countBytes(id: string, count: number, direction: 'download' | 'upload'): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    const { state } = entry;
    entry.state =
      direction === 'download'
        ? { ...state, bytesDown: state.bytesDown + count }
        : { ...state, bytesUp: state.bytesUp + count };
    this.#reportWithin(entry, REPORT_MS.count);
  }

  #reportWithin(entry: Entry, ms: number): void {
    if (entry.report !== undefined && entry.report.ms <= ms) return;
    clearTimeout(entry.report?.timer);
    const timer = setTimeout(() => {
      this.#report(entry);
    }, ms).unref();
    entry.report = { timer, ms };
  }

  #report(entry: Entry): void {
    clearTimeout(entry.report?.timer);
    entry.report = undefined;
    this.#options.link.tell({ kind: 'session', state: entry.state });
    this.#options.onWork();
  }

  #end(id: string, reason: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    clearTimeout(entry.report?.timer);
    this.#release(entry.state.connection.server.address);
    const state = stateWith(entry.state, entry.driver.view);
    this.#options.link.tell({ kind: 'ended', state, reason });
    this.#options.onWork();
  }

  /** The main thread may drop the reservation of a server without a session. */
  #release(address: IpAddress): void {
    const others = [...this.#entries.values()].some(
      (entry) => entry.state.connection.server.address === address,
    );
    if (!others) this.#reserved.delete(address);
  }
}

/** Ends a connection that was dialled ahead and is not wanted. */
export function hangUp(dialled: Dialled): void {
  void Promise.resolve(dialled).then(
    (socket) => socket?.destroy(),
    () => undefined,
  );
}

function ownerOf({ server, client, uid, forwarded }: Connection): DataOwner {
  return { server, client, uid, forwarded: forwarded === true };
}

function withoutWeak(policy: HostPolicy): HostPolicy {
  return { ...policy, tls: { ...policy.tls, mechanisms: strongMechanisms(policy.tls.mechanisms) } };
}
