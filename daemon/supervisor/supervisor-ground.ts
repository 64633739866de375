// What a supervisor stands on, one implementation for each kind of system: as whom the proxy runs, its folders, that there is one
// daemon only, and the command that starts the proxy.
import { Fault } from '../../shared/fault.js';
import type { UserId } from '../../shared/user-id.js';
import type { ProxyCommand } from './proxy-child.js';

export interface GroundOptions {
  readonly stateDir: string;
  readonly runtimeDir: string;
  readonly configPath: string | undefined;
  /** The proxy's main module, and its arguments. */
  readonly main: string;
  readonly proxyArguments: readonly string[];
  /** Name or uid, where the proxy can be another user. */
  readonly proxyUser: string | number | undefined;
  readonly waiting: () => void;
}

export interface SupervisorGround {
  readonly proxyUid: UserId;
  /** Takes the daemon's one place. Rejects with a Fault that says who is in the way. */
  readonly lock: () => Promise<Locked>;
}

export interface Locked {
  readonly command: ProxyCommand;
  readonly release: () => void;
}

/** Makes folders and checks rights. Rejects with a Fault that says what is missing. */
export async function supervisorGround(options: GroundOptions): Promise<SupervisorGround> {
  if (process.platform === 'win32') return (await import('./windows-ground.js')).windowsGround(options);
  if (process.platform === 'darwin') throw new Fault('config', notOnMacos);
  return (await import('./linux-ground.js')).linuxGround(options);
}

/** A sentence, for `ftpseal doctor` too. */
export const notOnMacos =
  'The daemon can’t run on macOS yet: only the redirect layer is written, and no Mac has run it. See docs/macos.md.';
