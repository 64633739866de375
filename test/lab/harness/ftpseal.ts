// ftpseal in the lab: the daemon on the client's host, and its command line.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run, start, waitFor, type Finished, type Running } from './command.js';
import type { Lab } from './lab.js';
import { stage } from './stage.js';

/** A running daemon. */
export interface Daemon {
  /** The supervisor. */
  readonly pid: number;
  readonly running: Running;
  readonly folder: string;
  /** The folder with the program as it was staged. */
  readonly program: string;
  /** Runs `ftpseal …` against this daemon, as root or as the given user. */
  cli(argv: readonly string[], uid?: number): Promise<Finished>;
  /** As `cli`, with `--json`, parsed; throws when it fails. */
  json(argv: readonly string[], uid?: number): Promise<unknown>;
  /** Milliseconds from its start until the redirect was in force, by its own word on its output. */
  readonly readyAfterMs: number | undefined;
  /** What the daemon printed. */
  log(): string;
  stop(): Promise<void>;
}

/** What is unusual about a daemon of a test. */
export interface DaemonOptions {
  /** Another copy of the program than the lab's own. */
  readonly program?: string;
  /** Another Node than the one that runs this. */
  readonly node?: string;
  /** Words before the program, e.g. setpriv's; they must end in replacing themselves by it. */
  readonly wrap?: readonly string[];
  /** Another host than the lab's client. */
  readonly namespace?: string;
}

/** What a test needs most of the time: nobody is there to be asked, and no desktop keeps the keys. */
export const acceptNew = '[trust]\nunknown = "accept-new"\nstore = "file"\n';

let staged: { readonly lab: Lab; readonly program: string } | undefined;

/** The program where every user can read it; staged once a lab. */
export async function stageProgram(lab: Lab): Promise<string> {
  if (staged?.lab !== lab) {
    const program = path.join(lab.folder, 'program');
    await stage(program);
    staged = { lab, program };
  }
  return staged.program;
}

/**
 * Starts the daemon on the client's host and waits until it is ready. The same `name` finds the same state and runtime
 * folders again, so a second start is a restart.
 */
export async function startDaemon(
  lab: Lab,
  name: string,
  config: string,
  options: DaemonOptions = {},
): Promise<Daemon> {
  const program = options.program ?? (await stageProgram(lab));
  const folder = path.join(lab.folder, `daemon-${name}`);
  mkdirSync(folder, { recursive: true });
  const configFile = path.join(folder, 'config.toml');
  writeFileSync(configFile, config);
  const main = path.join(program, 'dist/daemon/main.js');
  const node = options.node ?? process.execPath;
  const runtime = path.join(folder, 'run');
  const namespace = options.namespace ?? lab.network.pc;
  const running = start({ namespace }, [
    ...(options.wrap ?? []),
    ...[node, main, 'daemon', '--foreground', '--config', configFile],
    ...['--state-dir', path.join(folder, 'state'), '--runtime-dir', runtime],
  ]);
  const began = performance.now();
  let readyAfterMs: number | undefined;
  running.child.stderr?.on('data', () => {
    if (/ info {2}ready/.test(running.stderr())) readyAfterMs ??= performance.now() - began;
  });
  const cli = (argv: readonly string[], uid?: number): Promise<Finished> =>
    run({ namespace, uid }, [node, main, ...argv, '--runtime-dir', runtime]);
  const log = (): string => running.stdout() + running.stderr();
  const life = { over: false };
  void running.ended.then(() => (life.over = true));
  // Asking takes half a core: not while it starts.
  await waitFor(
    () => `the daemon: ${log()}`,
    () => life.over || readyAfterMs !== undefined,
    30_000,
  );
  await waitFor(
    () => `the daemon: ${log()}`,
    // It answers before the redirect stands; a client that connects then is not its own yet.
    async () => life.over || (await cli(['status', '--json'])).stdout.includes('"kind": "active"'),
    30_000,
  );
  if (life.over) throw new Error(`the daemon did not start: ${log()}`);
  return {
    pid: running.pid,
    running,
    folder,
    program,
    cli,
    json: async (argv, uid) => {
      const finished = await cli([...argv, '--json'], uid);
      if (finished.code !== 0) throw new Error(`ftpseal ${argv.join(' ')}: ${finished.stderr}`);
      const parsed: unknown = JSON.parse(finished.stdout);
      return parsed;
    },
    readyAfterMs,
    log,
    // Transfers under way get three seconds of it.
    stop: async () => {
      await running.stop(10_000);
      // The proxy is a child of the child; of its exit code 13 there is only this line of main.ts.
      if (log().includes('in the middle of its work')) throw new Error(`it could not settle: ${log()}`);
    },
  };
}
