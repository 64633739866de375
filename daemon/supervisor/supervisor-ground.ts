// What a supervisor stands on, one implementation for each kind of system: as whom the proxy runs, its folders, that there is one
// daemon only, and the command that starts the proxy. The contract; system-ground.ts chooses.
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
  /** May be run before `lock`: a proxy does nothing but load until it is told to start. */
  readonly command: ProxyCommand;
  /** Takes the daemon's one place. Resolves with what gives it back; rejects with a Fault that says who is in the way. */
  readonly lock: () => Promise<() => void>;
}
