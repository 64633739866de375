// Running programs inside a lab host: in its network namespace, as root or as an ordinary user.
import { spawn, type ChildProcess } from 'node:child_process';
import { failWhenUnsettled } from '../../unsettled.js';

/** Where and as whom a program runs. Without namespace: on the machine itself. Without uid: as root. */
export interface Place {
  readonly namespace?: string | undefined;
  readonly uid?: number | undefined;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What a finished program left behind. `code` is -1 when a signal or the time limit ended it. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The argument list that runs `argv` at `place`; every wrapper replaces itself, so the pid is the program's own. */
export function argvAt(place: Place, argv: readonly string[]): readonly string[] {
  const user =
    place.uid === undefined
      ? []
      : ['setpriv', `--reuid=${place.uid}`, `--regid=${place.uid}`, '--clear-groups', '--'];
  const host = place.namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${place.namespace}`, '--'];
  return [...host, ...user, ...argv];
}

/** The environment of lab programs: nothing of the developer's own leaks in (proxies, locale, netrc). */
function environmentAt(place: Place): NodeJS.ProcessEnv {
  return {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    LC_ALL: 'C',
    HOME: '/nonexistent',
    TERM: 'dumb',
    ...place.env,
  };
}

/** Runs a program to its end. Never rejects for an exit code; after `timeoutMs` it is killed and the code is -1. */
export async function run(
  place: Place,
  argv: readonly string[],
  options: { readonly input?: string; readonly timeoutMs?: number } = {},
): Promise<Finished> {
  const running = start(place, argv);
  running.child.stdin?.end(options.input ?? '');
  const timer = setTimeout(() => running.child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
  const code = await running.ended;
  clearTimeout(timer);
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

/** As `run`, and throws with everything the program said unless it ends with 0. Returns its standard output. */
export async function must(place: Place, argv: readonly string[], input?: string): Promise<string> {
  const finished = await run(place, argv, input === undefined ? {} : { input });
  if (finished.code === 0) return finished.stdout;
  throw new Error(
    `${argv.join(' ')} ended with ${finished.code}\n${finished.stderr}${finished.stdout.slice(-2000)}`,
  );
}

/** A program that goes on running beside the test. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it has written so far. */
  stdout(): string;
  stderr(): string;
  /** Settles with the exit code (-1 for a signal) when the program and its output have ended. */
  readonly ended: Promise<number>;
  /** SIGTERM, SIGKILL after three seconds or the given time; settles when it is gone. */
  stop(patienceMs?: number): Promise<void>;
}

const live = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of live) killGroup(child);
});
// Without these a Ctrl-C would end the test and none of its programs.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** Starts a program; it is killed with the test process at the latest. */
export function start(place: Place, argv: readonly string[]): Running {
  const [program, ...args] = argvAt(place, argv);
  if (program === undefined) throw new Error('no program given');
  // A process group of its own, so that what a server forked for its sessions can be ended with it.
  const child = spawn(program, args, {
    cwd: place.cwd ?? '/',
    env: environmentAt(place),
    stdio: 'pipe',
    detached: true,
  });
  live.add(child);
  failWhenUnsettled(child, argv);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  child.stdin.on('error', () => undefined); // a program that ended early; its exit code tells the story
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => {
      output.stderr += error.message;
      resolve(-1);
    });
    child.once('close', (code) => {
      live.delete(child);
      resolve(code ?? -1);
    });
  });
  return {
    child,
    pid: child.pid ?? -1,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    ended,
    stop: (patienceMs = 3000) => stop(child, ended, patienceMs),
  };
}

/** A session's process that outlives its server holds the output open, so `ended` alone could take forever. */
async function stop(child: ChildProcess, ended: Promise<number>, patienceMs: number): Promise<void> {
  child.once('exit', () => {
    killGroup(child);
  });
  if (child.exitCode !== null || child.signalCode !== null) killGroup(child);
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(timer);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** Polls until `condition` holds; throws with `what` after `timeoutMs`: what takes a second alone took fifteen beside other tests. */
export async function waitFor(
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline)
      throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await sleep(5);
  }
}

/** Waits that long. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
