// Calls of the measuring client (driver.py) on a lab host.
import { z } from 'zod';
import { clientUid, login } from '../../lab/harness/account.js';
import { run, start, waitFor, type Running } from '../../lab/harness/command.js';
import type { Contender } from './contender.js';
import type { Ground } from './ground.js';

const resultSchema = z.object({
  /** Seconds, one number for each time that the work was done. */
  times: z.array(z.number()).readonly(),
  /** User and system time of the client and the programs it ran, in seconds. */
  cpu: z.number(),
  bytes: z.number().optional(),
});
export type DriverResult = Readonly<z.infer<typeof resultSchema>>;

const timeLimitMs = 600_000;

function argvOf(ground: Ground, command: string, args: readonly string[]): readonly string[] {
  return ['/usr/bin/python3', '-B', ground.driver, command, ...args];
}

/** What every command that logs in is told. */
export function sessionArguments(contender: Contender, count: number): readonly string[] {
  return [
    ...[
      '--address',
      contender.address,
      '--port',
      String(contender.port),
      '--user',
      contender.user,
      '--password',
      login.password,
    ],
    ...['--count', String(count), '--protection', contender.protection],
  ];
}

/** Runs one command to its end. Throws with the client's words if it failed. */
export async function drive(
  ground: Ground,
  namespace: string,
  command: string,
  args: readonly string[],
): Promise<DriverResult> {
  const place = { namespace, uid: clientUid };
  const finished = await run(place, argvOf(ground, command, args), { timeoutMs: timeLimitMs });
  if (finished.code !== 0)
    throw new Error(
      `${command} on ${namespace} ended with ${finished.code}: ${finished.stderr.slice(-2000)}`,
    );
  return resultSchema.parse(JSON.parse(finished.stdout));
}

/** Ends the standard input of a started command, and gives what it measured from then on. Throws with its words if it failed. */
export async function finishDriver(running: Running): Promise<DriverResult> {
  running.child.stdin?.end();
  const code = await running.ended;
  if (code !== 0) throw new Error(`it ended with ${code}: ${running.stderr().slice(-2000)}`);
  return resultSchema.parse(JSON.parse(running.stdout().replace('ready', '')));
}

/** Starts a command that says `ready` and then lasts until its standard input is closed or it is stopped. */
export async function startDriver(
  ground: Ground,
  namespace: string,
  command: string,
  args: readonly string[],
): Promise<Running> {
  const running = start({ namespace, uid: clientUid }, argvOf(ground, command, args));
  const over = { ended: false };
  void running.ended.then(() => (over.ended = true));
  const isReady = (): boolean => running.stdout().startsWith('ready');
  await waitFor(command, () => isReady() || over.ended, timeLimitMs);
  if (!isReady()) throw new Error(`${command} on ${namespace} failed: ${running.stderr().slice(-2000)}`);
  return running;
}
