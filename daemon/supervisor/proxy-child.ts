// The proxy as a child process: how it is started, spoken to and ended. Decides nothing.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Fault } from '../../shared/fault.js';
import type { ToProxy } from '../privops.js';

/** How the proxy ended. `fault` is set if it could not even be started. */
export interface ProxyEnd {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly fault: Error | undefined;
}

/** What is run, complete: the platform's ground (supervisor-ground.ts) makes it. */
export interface ProxyCommand {
  readonly program: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Besides the few variables that every child gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Descriptors 0 to 2, and what more is inherited from descriptor 4 on. */
  readonly output: 'inherit' | 'ignore';
  readonly inherited: readonly number[];
  /** The sentence for a program that could not be started. */
  readonly missing: (cause: Error) => Fault;
}

/**
 * Of the Node that runs the proxy: megabytes of each half of its main thread's youngest objects, as `WorkerPool` bounds the workers'. Only at
 * a heap's start can it be said.
 */
export const proxyNodeArguments = ['--max-semi-space-size=2'] as const;

export class ProxyChild {
  readonly ended: Promise<ProxyEnd>;
  readonly #child: ChildProcess;

  constructor(command: ProxyCommand) {
    const { output } = command;
    this.#child = spawn(command.program, command.argv, {
      cwd: command.cwd,
      env: { ...kept(process.env), ...command.env },
      stdio: [output, output, output, 'ipc', ...command.inherited],
      windowsHide: true,
    });
    this.ended = endOf(this.#child, command);
  }

  /** `listener` gets whatever the child sends, unchecked. To be called before `start` is sent: until then the child says nothing. */
  onMessage(listener: (message: unknown) => void): void {
    this.#child.on('message', listener);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** A message to a child that has gone is dropped; its end is reported by `ended`. A handle is the child's from here on. */
  send(message: ToProxy, handle?: Socket): void {
    if (this.#child.connected) this.#child.send(message, handle, undefined, () => undefined);
    else handle?.destroy();
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}

function endOf(child: ChildProcess, { missing }: ProxyCommand): Promise<ProxyEnd> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve({ code: undefined, signal: undefined, fault: missing(error) });
    });
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined, fault: undefined });
    });
  });
}

const passedOn = ['TERM', 'LANG', 'LC_ALL', 'TZ', 'NODE_EXTRA_CA_CERTS', 'JOURNAL_STREAM'];

// A list of what may pass, so that NODE_OPTIONS, LD_PRELOAD and whatever comes next do not.
function kept(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const named = passedOn.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]] as const]));
  return {
    ...Object.fromEntries(named),
    // Node adds its own to every environment that does not name it.
    NODE_V8_COVERAGE: undefined,
  };
}
