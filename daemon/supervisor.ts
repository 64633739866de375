// The privileged process: holds the redirect rules and the proxy's life, and touches no byte from the network. It
// loads as little as it can; what the proxy may ask of it is daemon/privops.ts.
import { availableParallelism } from 'node:os';
import { Fault } from '../shared/fault.js';
import { portShares } from './divert/port-shares.js';
import { redirectLayer } from './divert/redirect-layer.js';
import { MAX_WORKERS } from './privops.js';
import { forwardedPlan } from './supervisor/forwarded-plan.js';
import { planBase } from './supervisor/plan-base.js';
import { ProxyKeeper } from './supervisor/proxy-keeper.js';
import { QuietTimes } from './sys/quiet-times.js';
import { chooseListenRange } from './supervisor/listen-range.js';
import { warnOfEphemeralOverlap } from './supervisor/ephemeral-ports.js';
import type { Config } from './config.js';
import type { Diverter } from './divert/diverter.js';
import type { StartMessage } from './privops.js';
import type { ServiceManager } from './sys/service-manager.js';
import type { FirstProxy } from './supervisor/first-proxy.js';
import type { SupervisorLog } from './supervisor/supervisor-log.js';

export interface SupervisorOptions {
  readonly config: Config;
  readonly first: FirstProxy;
  readonly log: SupervisorLog;
  /** Tests give another redirect layer. */
  readonly diverter?: Diverter | undefined;
  /** Called once, when the first proxy is ready and the redirect in force. */
  readonly onReady?: (() => void) | undefined;
  /** Who started this process as a service and watches it. */
  readonly manager?: ServiceManager | undefined;
  /** Ends it like a signal, where there are none (a service of Windows). */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Runs until SIGTERM or SIGINT (SIGHUP too, on a terminal; without one it means: read keys.d again); resolves with the exit code (0 after an orderly end, rules gone, sessions ended). After
 * SIGUSR2 it ends with the last session, so that a new version can take its place (exit code 75, FTP refused until then).
 * Rejects with a Fault if it can't start; nothing is left behind then. The caller's other signal handlers stay.
 */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const { config, log, first } = options;
  const { ground } = first;
  const own = await planBase(config.divert, ground.proxyUid, log);
  warnOfEphemeralOverlap(config.divert.sourcePorts, log);
  const start = await startMessage(config, log);
  const base = { ...own, forwarded: forwardedPlan(config, start.shares, log) };
  const release = await ground.lock();
  let quiet: QuietTimes | undefined;
  try {
    const keeper = new ProxyKeeper({
      base,
      start,
      command: ground.command,
      first: first.child,
      diverter: options.diverter ?? (await redirectLayer(config.divert, start.shares, log)),
      log,
      onReady: () => {
        options.onReady?.();
        quiet ??= new QuietTimes();
      },
      manager: options.manager,
    });
    return await withSignals(keeper, options.stop);
  } finally {
    release();
  }
}

async function startMessage({ divert }: Config, log: SupervisorLog): Promise<StartMessage> {
  const wanted = divert.workers === 0 ? availableParallelism() : divert.workers;
  const workers = Math.min(wanted, MAX_WORKERS);
  const shares = portShares(divert, workers, await chooseListenRange(divert, workers, log));
  return { kind: 'start', shares, active: divert.activePorts };
}

const stopSignals = ['SIGTERM', 'SIGINT'] as const;

/** On a terminal SIGHUP says that the terminal has gone; a service has none. */
function hasTerminal(): boolean {
  if (process.platform === 'win32') return true;
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}

async function withSignals(keeper: ProxyKeeper, asked: AbortSignal | undefined): Promise<number> {
  const stop = (): void => {
    keeper.stop();
  };
  const retire = (): void => {
    keeper.retire();
  };
  const hangUp = hasTerminal()
    ? stop
    : (): void => {
        keeper.reload();
      };
  asked?.addEventListener('abort', stop);
  if (asked?.aborted === true) stop();
  for (const signal of stopSignals) process.on(signal, stop);
  process.on('SIGHUP', hangUp);
  process.on('SIGUSR2', retire);
  try {
    return await keeper.run();
  } catch (error) {
    throw Fault.from(error);
  } finally {
    asked?.removeEventListener('abort', stop);
    for (const signal of stopSignals) process.off(signal, stop);
    process.off('SIGHUP', hangUp);
    process.off('SIGUSR2', retire);
  }
}
