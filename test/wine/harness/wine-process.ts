// One program under Wine. Its output goes to files: Node for Windows can't use a pipe of this machine as its standard output.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { waitFor } from '../../lab/harness/command.js';

/** `code` is -1 when a signal or the time limit ended it. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Placement {
  /** Where the output goes: this path with `.out` and `.err`. */
  readonly output: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const live = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

export class WineProcess {
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;
  readonly #output: string;

  constructor(argv: readonly string[], { output, cwd, env }: Placement) {
    this.#output = output;
    const [program = '', ...args] = argv;
    const out = openSync(`${output}.out`, 'w');
    const err = openSync(`${output}.err`, 'w');
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', out, err] });
    closeSync(out);
    closeSync(err);
    this.#child = child;
    live.add(child);
    this.ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        live.delete(child);
        resolve(code ?? -1);
      };
      child.once('error', () => {
        end(-1);
      });
      child.once('exit', end);
    });
  }

  stdout(): string {
    return readFileSync(`${this.#output}.out`, 'utf8');
  }

  stderr(): string {
    return readFileSync(`${this.#output}.err`, 'utf8');
  }

  /** Waits until it has said something like this; throws with all it said after 30 s, or when it ends before. */
  async said(pattern: RegExp, timeoutMs = 30_000): Promise<void> {
    let gone = false;
    void this.ended.then(() => (gone = true));
    const all = (): string => this.stdout() + this.stderr();
    await waitFor(
      () => `${String(pattern)} in: ${all()}`,
      () => {
        if (pattern.test(all())) return true;
        if (gone) throw new Error(`it ended before it said ${String(pattern)}: ${all()}`);
        return false;
      },
      timeoutMs,
    );
  }

  async finish(timeoutMs: number): Promise<Finished> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    const code = await this.ended;
    clearTimeout(timer);
    return { code, stdout: this.stdout(), stderr: this.stderr() };
  }

  /** As a power cut for it alone; settles when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
