// Where things are unless the command line says otherwise: the system's places for root, the user's own for others.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Fault } from '../../shared/fault.js';
import type { DaemonClient } from '../ipc/client.js';
import { isMachine } from '../sys/own-user.js';
import { localData } from '../sys/windows/known-folders.js';
import { machinePlaces as system } from '../sys/usual-places.js';

const isWindows = process.platform === 'win32';

export interface DirOptions {
  readonly stateDir?: string;
  readonly runtimeDir?: string;
}

/** Absolute, because the proxy process has another working directory. */
export function stateDirOf(options: DirOptions): string {
  return resolve(options.stateDir ?? (isMachine() ? system.stateDir : userStateDir()));
}

export function runtimeDirOf(options: DirOptions): string {
  return resolve(options.runtimeDir ?? (isMachine() ? system.runtimeDir : userRuntimeDir()));
}

/** The daemon in the given runtime directory; without one the machine's, or else the user's own explicit proxy. */
export async function connectDaemon({ runtimeDir }: DirOptions): Promise<DaemonClient> {
  // Only here: the supervisor asks for places as well, and needs nothing of it.
  const { DaemonClient } = await import('../ipc/client.js');
  if (runtimeDir !== undefined) return DaemonClient.connect(resolve(runtimeDir));
  try {
    return await DaemonClient.connect(system.runtimeDir);
  } catch (error) {
    if (isMachine()) throw error;
    return await DaemonClient.connect(userRuntimeDir()).catch(() => {
      throw Fault.from(error);
    });
  }
}

function userStateDir(): string {
  if (isWindows) return join(localData() ?? join(homedir(), 'AppData', 'Local'), 'ftpseal', 'state');
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'ftpseal');
}

function userRuntimeDir(): string {
  if (isWindows) return join(userStateDir(), '..', 'run');
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return runtime === undefined || runtime === '' ? join(userStateDir(), 'run') : join(runtime, 'ftpseal');
}
