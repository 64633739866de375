// `ftpseal daemon`, `cleanup`, `hold` and `check`.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultConfigPath, machinePlaces } from '../sys/usual-places.js';
import { EXIT, Fault } from '../../shared/fault.js';
import type { LogLevel } from '../sys/log.js';
import { openJournal, prefixedLine } from '../sys/journal.js';
import { formatEntry } from '../sys/log-line.js';
import { outlastSurroundings } from '../sys/long-lived.js';
import { serviceManager } from '../sys/service-manager.js';
import { print, printJson, type JsonOption } from './output.js';
import { runtimeDirOf, stateDirOf, type DirOptions } from './paths.js';
import { PROXY_PROCESS } from './proxy-process.js';
import type { SupervisorOptions } from '../supervisor.js';
import type { GroundOptions } from '../supervisor/supervisor-ground.js';

export interface DaemonOptions extends DirOptions {
  readonly config?: string;
  readonly foreground?: boolean;
  readonly logLevel: LogLevel;
  readonly proxyUser?: string;
}

/** Runs until a signal; resolves with the exit code. */
export async function daemonCommand(options: DaemonOptions): Promise<number> {
  return superviseDaemon(options, { manager: serviceManager(), log: logToStderr() });
}

/** Where stderr is systemd's journal, entries with fields go there, and lines with their priority if that fails. */
function logToStderr(): SupervisorOptions['log'] {
  const journal = openJournal();
  return (level, message, fields) => {
    if (journal?.(level, message, fields) === true) return;
    const line =
      journal === undefined
        ? formatEntry({ level, time: Date.now(), message }, fields)
        : prefixedLine(level, message, fields);
    process.stderr.write(`${line}\n`);
  };
}

export type Surroundings = Pick<SupervisorOptions, 'log' | 'onReady' | 'manager' | 'stop'>;

/** The supervisor, wherever it runs. The proxy is this same program with other arguments. */
export async function superviseDaemon(options: DaemonOptions, around: Surroundings): Promise<number> {
  outlastSurroundings();
  const log: SupervisorOptions['log'] = (level, message, fields) => {
    if (level !== 'debug' || options.logLevel === 'debug') around.log(level, message, fields);
  };
  const { withFirstProxy } = await import('../supervisor/first-proxy.js');
  return withFirstProxy(groundOptions(options, log), async (first) => {
    const { loadConfig } = await import('../config-load.js');
    const config = await loadConfig(options.config);
    const { runSupervisor } = await import('../supervisor.js');
    return runSupervisor({ ...around, config, first, log });
  });
}

function groundOptions(options: DaemonOptions, log: SupervisorOptions['log']): GroundOptions {
  const configPath = options.config ?? (existsSync(defaultConfigPath) ? defaultConfigPath : undefined);
  // An administrator of Windows who starts it by hand starts the machine's daemon, not one of their own.
  const usual = process.platform === 'win32' ? machinePlaces : {};
  const stateDir = stateDirOf({ ...usual, ...options });
  const runtimeDir = runtimeDirOf({ ...usual, ...options });
  return {
    configPath: configPath === undefined ? undefined : resolve(configPath),
    stateDir,
    runtimeDir,
    main: fileURLToPath(new URL('../main.js', import.meta.url)),
    proxyUser: proxyUser(options.proxyUser),
    waiting: () => {
      log('info', 'waiting for the previous proxy to end its sessions', {});
    },
    proxyArguments: [
      ...[PROXY_PROCESS, '--state-dir', stateDir, '--runtime-dir', runtimeDir],
      ...['--log-level', options.logLevel],
      ...(configPath === undefined ? [] : ['--config', resolve(configPath)]),
      ...(options.foreground === true ? ['--foreground'] : []),
    ],
  };
}

function proxyUser(text: string | undefined): string | number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : text;
}

export interface CleanupOptions {
  readonly afterExit?: boolean;
}

/** Removes what a daemon that died may have left; safe at any time, also without anything to remove. */
export async function cleanupCommand({ afterExit = false }: CleanupOptions): Promise<void> {
  if (afterExit && (await staysRefused())) {
    print('FTP stays refused until ftpseal runs again.');
    return;
  }
  const { clearRedirect } = await import('../divert/redirect-layer.js');
  await clearRedirect();
  print('The redirect rules of ftpseal are gone.');
}

/**
 * Refuses FTP until the daemon takes over, or until `cleanup`, whatever on_failure says: at boot the network may be up before the
 * daemon is. Asks no name server. With a configuration that can't be read it refuses what the default would, and fails.
 */
export async function holdCommand(options: Pick<DaemonOptions, 'config'>): Promise<void> {
  const { isDaemonHere } = await import('../supervisor/single-instance.js');
  if (await isDaemonHere()) {
    print('ftpseal runs, so there is nothing to hold.');
    return;
  }
  const { holdUntilStart } = await import('../supervisor/hold-until-start.js');
  const { loadConfig, parseConfig } = await import('../config-load.js');
  const read = await loadConfig(options.config).catch((error: unknown) => Fault.from(error));
  await holdUntilStart(read instanceof Fault ? parseConfig('', 'no file') : read);
  if (read instanceof Fault) throw read;
  print('FTP is refused until ftpseal runs.');
}

/** Said by systemd (`$EXIT_STATUS`) and by the configuration; one that can't be read may have said so. */
async function staysRefused(): Promise<boolean> {
  if (process.env['EXIT_STATUS'] === String(EXIT.retired)) return true;
  const { loadConfig } = await import('../config-load.js');
  const config = await loadConfig().catch(() => undefined);
  return config?.divert.onFailure !== 'open';
}

export async function checkCommand(file: string | undefined, options: JsonOption): Promise<void> {
  const { loadConfig } = await import('../config-load.js');
  const config = await loadConfig(file);
  const name = file ?? defaultConfigPath;
  const isMissing = file === undefined && !existsSync(defaultConfigPath);
  if (options.json === true) printJson({ ok: true, file: isMissing ? null : name, config }, 2);
  else print(isMissing ? `${name} does not exist: every key has its default.` : `${name} is fine.`);
}
