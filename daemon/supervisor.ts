// The privileged process: holds the redirect rules and the proxy's life, and touches no byte from the network. It
// loads as little as it can; what the proxy may ask of it is daemon/privops.ts.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Fault } from '../shared/fault.js';
import { portShares } from './divert/port-shares.js';
import { redirectLayer } from './divert/redirect-layer.js';
import { MAX_WORKERS } from './privops.js';
import { prepareFolder } from './supervisor/folders.js';
import { planBase } from './supervisor/plan-base.js';
import { proxyIdentity, requireAccess } from './supervisor/proxy-identity.js';
import { ProxyKeeper } from './supervisor/proxy-keeper.js';
import { lockInstance } from './supervisor/single-instance.js';
import { warnOfEphemeralOverlap } from './supervisor/ephemeral-ports.js';
import type { Config } from './config.js';
import type { Diverter } from './divert/diverter.js';
import type { StartMessage } from './privops.js';
import type { ProxyIdentity } from './supervisor/proxy-identity.js';
import type { SupervisorLog } from './supervisor/supervisor-log.js';

export interface SupervisorOptions {
  readonly config: Config;
  /** The file that the proxy reads again by itself; undefined if there is none. */
  readonly configPath: string | undefined;
  readonly stateDir: string;
  readonly runtimeDir: string;
  /** Arguments of the proxy's main module, in full, e.g. `['proxy-process', '--state-dir', …]`. */
  readonly proxyArguments: readonly string[];
  /** Name or uid; by default the user `ftpseal`, else uid 21021. */
  readonly proxyUser?: string | number | undefined;
  readonly log: SupervisorLog;
  /** Tests give another main module or redirect layer. */
  readonly proxyMain?: string | undefined;
  readonly diverter?: Diverter | undefined;
}

/**
 * Runs until SIGTERM, SIGINT or SIGHUP; resolves with the exit code (0 after an orderly end, rules gone, sessions ended). After
 * SIGUSR2 it ends with the last session, so that a new version can take its place (exit code 75, FTP refused until then).
 * Rejects with a Fault if it can't start; nothing is left behind then. The caller's other signal handlers stay.
 */
export async function runSupervisor(options: SupervisorOptions): Promise<number> {
  const { config, log } = options;
  const main = options.proxyMain ?? fileURLToPath(new URL('./main.js', import.meta.url));
  const identity = await proxyIdentity(options.proxyUser);
  // Everybody may reach the socket, nobody may open the folder: whoever can, can take its lock.
  prepareFolder(options.runtimeDir, 0o711, identity);
  prepareFolder(options.stateDir, 0o700, identity);
  await requireReadableProgram(identity, main, options);
  const base = await planBase(config.divert, identity.uid, log);
  if (config.divert.forwarded) {
    log('warn', 'divert.forwarded has no effect yet: only FTP of this machine itself is secured', {});
  }
  warnOfEphemeralOverlap(config.divert.sourcePorts, log);
  const start = startMessage(config);
  const lock = await lockInstance(options.runtimeDir, () => {
    log('info', 'waiting for the previous proxy to end its sessions', {});
  });
  try {
    const keeper = new ProxyKeeper({
      base,
      start,
      command: { main, args: options.proxyArguments, identity, lockDescriptor: lock.folderDescriptor },
      diverter: options.diverter ?? (await redirectLayer(config.divert, start.shares, log)),
      log,
    });
    return await withSignals(keeper);
  } finally {
    lock.release();
  }
}

async function requireReadableProgram(
  identity: ProxyIdentity,
  main: string,
  options: SupervisorOptions,
): Promise<void> {
  await requireAccess(identity, process.execPath, 'search');
  await requireAccess(identity, main, 'read');
  if (options.configPath !== undefined) await requireAccess(identity, options.configPath, 'read');
  await requireAccess(identity, options.runtimeDir, 'write');
  await requireAccess(identity, options.stateDir, 'write');
}

function startMessage(config: Config): StartMessage {
  const wanted = config.divert.workers === 0 ? availableParallelism() : config.divert.workers;
  const shares = portShares(config.divert, Math.min(wanted, MAX_WORKERS));
  return { kind: 'start', shares, active: config.divert.activePorts };
}

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

async function withSignals(keeper: ProxyKeeper): Promise<number> {
  const stop = (): void => {
    keeper.stop();
  };
  const retire = (): void => {
    keeper.retire();
  };
  for (const signal of stopSignals) process.on(signal, stop);
  process.on('SIGUSR2', retire);
  try {
    return await keeper.run();
  } catch (error) {
    throw Fault.from(error);
  } finally {
    for (const signal of stopSignals) process.off(signal, stop);
    process.off('SIGUSR2', retire);
  }
}
