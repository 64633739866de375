// Keeps one proxy running and the redirect in step with it: start, requests, restart after a crash, orderly end.
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, Fault } from '../../shared/fault.js';
import { RETIRE_MS, STOP_GRACE_MS, admitRequest, withoutRedirect } from '../privops.js';
import { Heartbeat } from '../sys/heartbeat.js';
import { socketProgram } from '../sys/socket-program.js';
import { openLookups } from './lookup-monitor.js';
import { ProxyChild } from './proxy-child.js';
import { RuleRepairs } from './rule-repairs.js';
import { steadyNow } from '../sys/steady-clock.js';
import type { ConnectionOrigin, DivertedServer, Diverter, WorkerPorts } from '../divert/diverter.js';
import type { PrivopAnswer, PrivopRequest, ProxyPhase, StartMessage, ToSupervisor } from '../privops.js';
import type { ServiceManager } from '../sys/service-manager.js';
import type { PlanBase } from './plan-base.js';
import type { ProxyCommand, ProxyEnd } from './proxy-child.js';
import type { SupervisorLog } from './supervisor-log.js';

/** A proxy that is not ready by then never will be. */
const READY_MS = 30_000;
/** What a killed process gets after the grace that it was told of. */
const KILL_AFTER_MS = STOP_GRACE_MS + 1000;
const BACKOFF_MS = { first: 200, most: 30_000 } as const;
/** A proxy that lived this long did not fail at its start: the next pause is the shortest again. */
const SETTLED_MS = 60_000;
/** A proxy that leaves six questions in a row without an answer, half a minute, hangs. */
const BEAT_MS = 5000;
const PATIENCE = 6;
/** Requests that wait for an answer. More is no proxy of ours. */
const MAX_PENDING = 1024;

export interface KeeperOptions {
  readonly base: PlanBase;
  readonly start: StartMessage;
  readonly command: ProxyCommand;
  /** The first proxy, which was started by that command already. */
  readonly first: ProxyChild;
  readonly diverter: Diverter;
  readonly log: SupervisorLog;
  readonly onReady?: (() => void) | undefined;
  /** Hears of every state, and that this process and its proxy are not stuck. */
  readonly manager?: ServiceManager | undefined;
}

export class ProxyKeeper {
  readonly #options: KeeperOptions;
  readonly #stopping = new AbortController();
  #child: ProxyChild | undefined;
  #phase: ProxyPhase = 'starting';
  #workers: readonly WorkerPorts[] = [];
  #servers: readonly DivertedServer[] = [];
  #pending = 0;
  #heartbeat: Heartbeat | undefined;
  /** A proxy was killed and is not gone yet. */
  #killed = false;
  #retiring = false;
  /** Why the redirect could not be made; ends the supervisor if the first proxy is concerned. */
  #redirectFault: Fault | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /**
   * Begins the orderly end: rules away, proxy told, killed after the grace. More calls change nothing: a Ctrl-C under npm
   * arrives twice.
   */
  stop(): void {
    this.#stopping.abort();
  }

  /** Tells the proxy to read again what the administrator may change while it runs. */
  reload(): void {
    this.#options.log('info', 'reading the administrator’s keys again', {});
    this.#child?.send({ kind: 'reload' });
  }

  /**
   * A successor is waiting: the proxy works on until it has no session, and then this process ends with its own exit code,
   * leaving rules that refuse FTP until the successor's stand.
   */
  retire(): void {
    if (this.#retiring) return;
    this.#retiring = true;
    this.#options.log('info', 'retiring: the end comes with the last session', { withinMs: RETIRE_MS });
    this.#options.manager?.status('An upgrade waits for the last session to end.');
    this.#child?.send({ kind: 'retire', withinMs: RETIRE_MS });
  }

  /**
   * Resolves with the exit code after `stop` or `retire`; rejects with a Fault if the first proxy does not become ready.
   */
  async run(): Promise<number> {
    const { diverter, manager } = this.#options;
    diverter.onFailure?.((fault) => {
      this.#redirectFailed(fault);
    });
    const repairs = new RuleRepairs(this.#options.log, (news) => this.#child?.send(news));
    diverter.onRepair?.((repair) => {
      repairs.hear(repair);
    });
    const beat = setInterval(() => {
      this.#beat();
    }, beatMs(manager?.watchdogMs));
    try {
      await this.#keepAlive();
    } catch (error) {
      await this.#withoutRules(() => diverter.clear());
      throw error;
    } finally {
      clearInterval(beat);
      manager?.stopping();
    }
    const retired = this.#retiring && !this.#isStopping();
    const leave = () => (retired ? (diverter.handOver?.() ?? diverter.clear()) : diverter.clear());
    if (!(await this.#withoutRules(leave))) return EXIT.failed;
    return retired ? EXIT.retired : EXIT.done;
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  #isRetiring(): boolean {
    return this.#retiring;
  }

  /**
   * Here and not at the proxy's word alone: the manager's watchdog must end this process too where a proxy that hangs can't even be
   * killed. Every other state has its own limit.
   */
  #beat(): void {
    if (this.#killed) return;
    if (this.#heartbeat?.beat() === 'silent' && this.#child !== undefined) {
      this.#options.log('error', 'the proxy does not answer and is killed', { questions: PATIENCE });
      this.#kill(this.#child);
      return;
    }
    this.#options.manager?.alive();
  }

  #kill(child: ProxyChild): void {
    this.#killed = true;
    child.kill('SIGKILL');
  }

  async #keepAlive(): Promise<void> {
    let pause: number = BACKOFF_MS.first;
    for (let first = true; !this.#isStopping(); first = false) {
      const born = steadyNow();
      const end = await this.#oneLife(first ? this.#options.first : new ProxyChild(this.#options.command));
      if (this.#isStopping()) return;
      if (first && this.#phase === 'starting') throw startFault(end, this.#redirectFault);
      // Also if it died: another one would be of the files of the new version, which this process does not know.
      if (this.#isRetiring()) return;
      if (steadyNow() - born > SETTLED_MS) pause = BACKOFF_MS.first;
      await this.#mourn(end, pause);
      if (this.#isRetiring()) return;
      pause = Math.min(pause * 2, BACKOFF_MS.most);
    }
  }

  async #oneLife(child: ProxyChild): Promise<ProxyEnd> {
    this.#phase = 'starting';
    this.#servers = [];
    child.onMessage((message) => {
      this.#receive(child, message);
    });
    this.#child = child;
    child.send(this.#options.start);
    const tooLate = setTimeout(() => {
      if (this.#phase !== 'starting') return;
      this.#options.log('error', 'the proxy did not become ready', { afterMs: READY_MS });
      this.#kill(child);
    }, READY_MS);
    const stop = (): void => {
      void this.#endOrderly(child);
    };
    this.#stopping.signal.addEventListener('abort', stop);
    const end = await child.ended;
    clearTimeout(tooLate);
    this.#stopping.signal.removeEventListener('abort', stop);
    this.#child = undefined;
    this.#heartbeat = undefined;
    this.#killed = false;
    return end;
  }

  async #endOrderly(child: ProxyChild): Promise<void> {
    this.#phase = 'stopping';
    this.#heartbeat = undefined;
    this.#options.manager?.stopping();
    // New connections go their own way before the proxy stops to take them; running ones stay with it.
    await this.#withoutRules(() => this.#options.diverter.drain());
    child.send({ kind: 'stop', graceMs: STOP_GRACE_MS });
    const killer = setTimeout(() => {
      this.#options.log('warn', 'the proxy did not end in time and is killed', {});
      child.kill('SIGKILL');
    }, KILL_AFTER_MS);
    await child.ended;
    clearTimeout(killer);
  }

  /** The proxy is gone without being asked: the rules follow on_failure, and the next one comes after a pause. */
  async #mourn(end: ProxyEnd, pause: number): Promise<void> {
    this.#options.log('error', 'the proxy process ended; starting another', {
      ...(end.code === undefined ? {} : { code: end.code }),
      ...(end.signal === undefined ? {} : { signal: end.signal }),
      onFailure: this.#options.base.onFailure,
      pauseMs: pause,
    });
    const meanwhile = this.#options.base.onFailure === 'open' ? 'goes out as without ftpseal' : 'is refused';
    this.#options.manager?.status(`The proxy ended; another one starts. FTP ${meanwhile} until then.`);
    if (this.#options.base.onFailure === 'open') {
      await this.#withoutRules(() => this.#options.diverter.drain());
    }
    await delay(pause, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  #receive(child: ProxyChild, message: unknown): void {
    // What a dead proxy has left in the channel must not bring its ports back.
    if (child !== this.#child) return;
    try {
      const admitted = admitRequest(message, this.#phase, this.#options.start);
      if (admitted === undefined) return;
      if (this.#pending >= MAX_PENDING)
        throw new Fault('protocol', 'The proxy asks without waiting for answers.');
      void this.#serve(child, admitted);
    } catch (error) {
      const fault = Fault.from(error);
      this.#options.log('error', fault.userMessage, { fatalFor: 'proxy' });
      this.#kill(child);
    }
  }

  async #serve(child: ProxyChild, { id, request }: ToSupervisor): Promise<void> {
    this.#pending += 1;
    if (request.kind === 'lookups') {
      await this.#passLookups(child, id);
      this.#pending -= 1;
      return;
    }
    const answer = await this.#perform(child, request).catch((error: unknown): PrivopAnswer => {
      const fault = Fault.from(error);
      this.#options.log('error', fault.userMessage, { request: request.kind });
      return { kind: 'failed', sentence: fault.userMessage.slice(0, 2048) };
    });
    this.#pending -= 1;
    child.send({ kind: 'answer', id, answer });
  }

  /** That there are none is nothing to complain of: many machines resolve names without systemd-resolved. */
  async #passLookups(child: ProxyChild, id: number): Promise<void> {
    try {
      const handle = await openLookups();
      child.send({ kind: 'answer', id, answer: { kind: 'lookups' } }, handle);
    } catch (error) {
      const sentence = Fault.from(error).userMessage.slice(0, 2048);
      child.send({ kind: 'answer', id, answer: { kind: 'failed', sentence } });
    }
  }

  async #perform(
    child: ProxyChild,
    request: Exclude<PrivopRequest, { readonly kind: 'lookups' }>,
  ): Promise<PrivopAnswer> {
    switch (request.kind) {
      case 'workersReady':
        await this.#redirect(child, request.workers);
        return { kind: 'done' };
      case 'setServers':
        this.#servers = request.servers;
        await this.#applyPlan();
        return { kind: 'done' };
      case 'pong':
        this.#heartbeat?.heard(request.number);
        return { kind: 'done' };
      case 'programOf':
        return { kind: 'program', ...(await socketProgram(request.client, request.server)) };
      case 'originOf':
        return originAnswer(this.#options.diverter.originOf?.(request));
    }
  }

  async #redirect(child: ProxyChild, workers: readonly WorkerPorts[]): Promise<void> {
    this.#workers = workers;
    try {
      await this.#applyPlan();
    } catch (error) {
      if (withoutRedirect === 'stay') {
        this.#setRunning(child, workers.length);
        throw error;
      }
      // A proxy without redirect serves nobody; the end of its life decides between giving up and trying again.
      this.#redirectFault = Fault.from(error, 'redirect');
      this.#kill(child);
      throw error;
    }
    this.#setRunning(child, workers.length);
  }

  #setRunning(child: ProxyChild, workers: number): void {
    if (this.#phase !== 'starting') return;
    this.#phase = 'running';
    this.#heartbeat = new Heartbeat({
      patience: PATIENCE,
      ask: (number) => {
        child.send({ kind: 'ping', number });
      },
    });
    this.#options.onReady?.();
    this.#tellReady();
    this.#options.log('info', 'ready', {
      ports: this.#options.base.ports.join(' '),
      workers,
      proxyUid: this.#options.base.proxyUid,
      ...(child.pid === undefined ? {} : { proxyPid: child.pid }),
    });
  }

  #tellReady(): void {
    const { manager, base } = this.#options;
    manager?.status(`FTP to port ${base.ports.join(', ')} is secured.`);
    manager?.ready();
  }

  /** The layer knows no connection any more: those of the proxy end, and the next proxy brings a new redirect. */
  #redirectFailed(fault: Fault): void {
    this.#options.log('error', fault.userMessage, {});
    if (!this.#isStopping() && this.#child !== undefined) this.#kill(this.#child);
  }

  async #applyPlan(): Promise<void> {
    await this.#options.diverter.apply({
      ...this.#options.base,
      workers: this.#workers,
      servers: this.#servers,
    });
  }

  /** False if the rules could not be removed; that is in the log then, with what to do. */
  async #withoutRules(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      return true;
    } catch (error) {
      const fault = Fault.from(error, 'redirect');
      this.#options.log('error', `${fault.userMessage} Run \`ftpseal cleanup\` to remove the rules.`, {});
      return false;
    }
  }
}

/** Three times in the watchdog's limit at the least, so that one late beat is not taken for the end. */
function beatMs(watchdogMs: number | undefined): number {
  return watchdogMs === undefined ? BEAT_MS : Math.max(100, Math.min(BEAT_MS, Math.floor(watchdogMs / 3)));
}

function originAnswer(origin: ConnectionOrigin | undefined): PrivopAnswer {
  if (origin === undefined) return { kind: 'origin' };
  const { client, server, uid } = origin;
  return { kind: 'origin', origin: { client, server, ...(uid === undefined ? {} : { uid }) } };
}

function startFault(end: ProxyEnd, redirectFault: Fault | undefined): Fault {
  if (redirectFault !== undefined) return redirectFault;
  if (end.fault instanceof Fault) return end.fault;
  const how = end.signal === undefined ? `with exit code ${end.code ?? 'unknown'}` : `by ${end.signal}`;
  return new Fault('internal', `The proxy process ended ${how} before it was ready.`, end.fault);
}
