// The proxy as a child process: how it is started, spoken to and ended. Decides nothing.
import { spawn } from 'node:child_process';
import { SYSTEM_PATH } from '../sys/system-path.js';
import { dropArguments, setprivMissing } from './proxy-identity.js';
import type { ChildProcess } from 'node:child_process';
import type { ToProxy } from '../privops.js';
import type { ProxyIdentity } from './proxy-identity.js';

/** How the proxy ended. `fault` is set if it could not even be started. */
export interface ProxyEnd {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly fault: Error | undefined;
}

export interface ProxyCommand {
  /** The module that node runs, and its arguments. */
  readonly main: string;
  readonly args: readonly string[];
  readonly identity: ProxyIdentity;
  /** Inherited as descriptor 4 and never used: it carries the runtime folder's lock. */
  readonly lockDescriptor: number;
}

export class ProxyChild {
  readonly ended: Promise<ProxyEnd>;
  readonly #child: ChildProcess;

  /** `onMessage` gets whatever the child sends, unchecked. */
  constructor(command: ProxyCommand, onMessage: (message: unknown) => void) {
    const argv = [...dropArguments(command.identity), process.execPath, command.main, ...command.args];
    this.#child = spawn('setpriv', argv, {
      cwd: '/',
      env: childEnvironment(process.env),
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', command.lockDescriptor],
    });
    this.#child.on('message', onMessage);
    this.ended = endOf(this.#child);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** A message to a child that has gone is dropped; its end is reported by `ended`. */
  send(message: ToProxy): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}

function endOf(child: ChildProcess): Promise<ProxyEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined)
        resolve({ code: undefined, signal: undefined, fault: setprivMissing(error) });
    });
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined, fault: undefined });
    });
  });
}

const passedOn = ['TERM', 'LANG', 'LC_ALL', 'TZ', 'NODE_EXTRA_CA_CERTS'];

// A list of what may pass, so that NODE_OPTIONS, LD_PRELOAD and whatever comes next do not.
function childEnvironment(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = passedOn.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]] as const]));
  return {
    PATH: SYSTEM_PATH,
    ...Object.fromEntries(kept),
    // Node adds its own to every environment that does not name it.
    NODE_V8_COVERAGE: undefined,
  };
}
