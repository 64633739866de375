// What is left of ftpseal's work when nobody works: two such pictures of the same process can be compared.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { run, sleep } from '../lab/harness/command.js';
import { questions } from '../lab/show/ground.js';
import { threads, type Ground } from './ground.js';
import type { Answer } from './probed-program.js';

/** A picture of the daemon at rest. */
export interface Rest {
  /** What did not come to rest: sessions, sockets. */
  readonly unrest: readonly string[];
  /** Open descriptors of proxy and supervisor by kind. */
  readonly descriptors: Readonly<Record<string, number>>;
  /** What each thread of the proxy holds. */
  readonly threads: ReadonlyMap<string, Answer>;
  /** The rules without the elements of their sets: those are the servers of the last minutes, kept on purpose. */
  readonly rules: string;
  /** The elements in which no server of the lab is named. */
  readonly foreign: readonly string[];
  /** Resident memory in bytes. */
  readonly resident: { readonly proxy: number; readonly supervisor: number };
}

/** What a person sees of a process's memory, in bytes; 0 when it has ended. */
export function residentMemory(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
  } catch {
    return 0;
  }
}

/** The longest of the waits that ftpseal may have: a minute for a peer that says nothing, and TCP's own good-bye. */
const patienceMs = 120_000;

/** Waits until every session and socket is gone, or patience is over, and takes the picture. */
export async function takeRest(ground: Ground): Promise<Rest> {
  const unrest = await untilQuiet(ground);
  const supervisor = ground.daemon.pid;
  const proxy = ground.proxyPid;
  const ruleset = await ground.ruleset();
  return {
    unrest,
    descriptors: { ...(await keptBy('proxy', proxy)), ...(await keptBy('supervisor', supervisor)) },
    threads: await ground.probed.ask(threads),
    rules: ruleset.replace(elements, ''),
    foreign: foreignElements(ground, ruleset),
    resident: { proxy: residentMemory(proxy), supervisor: residentMemory(supervisor) },
  };
}

const elements = /^\s*elements = \{([^}]*)\}\n/gm;

function foreignElements(ground: Ground, ruleset: string): readonly string[] {
  const known = [...ground.servers, ground.stranger].flatMap(({ address }) => [address.ipv4, address.ipv6]);
  return [...ruleset.matchAll(elements)]
    .flatMap(([, list = '']) => list.split(','))
    .map((element) => element.trim())
    .filter((element) => !element.split(' ').some((word) => known.includes(word)));
}

async function untilQuiet(ground: Ground): Promise<readonly string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const { sessions } = await ground.status();
    const left = await socketsLeft(ground);
    if (sessions.total === 0 && left.length === 0) return [];
    if (Date.now() > deadline)
      return [`${sessions.total} sessions of nobody`, ...left.map((socket) => `a socket is left: ${socket}`)];
    await sleep(1000);
  }
}

/** TCP sockets of the client's host that a process holds or should have accepted. */
async function socketsLeft(ground: Ground): Promise<readonly string[]> {
  const { stdout } = await run({ namespace: ground.lab.network.pc }, ['ss', '-Htanp']);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('LISTEN'))
    .filter((line) => line.includes('users:') || !closedHere.test(line))
    .map((line) => line.replace(/\s+/g, ' '));
}

/** The rest of a connection that every process here is done with: the kernel waits for a peer that may be stuck. */
const closedHere = /^(?:FIN-WAIT-[12]|CLOSING|LAST-ACK|TIME-WAIT)/;

/** The fewest of each kind in several looks: what is open for a moment, to a child or for a question, is no leak. */
async function keptBy(name: string, pid: number): Promise<Record<string, number>> {
  let fewest = descriptorsOf(name, pid);
  for (let look = 1; look < LOOKS; look += 1) {
    await sleep(LOOK_MS);
    const now = descriptorsOf(name, pid);
    fewest = Object.fromEntries(
      Object.entries(fewest).flatMap(([kind, count]) => {
        const both = Math.min(count, now[kind] ?? 0);
        return both === 0 ? [] : [[kind, both] as const];
      }),
    );
  }
  return fewest;
}

const LOOKS = 5;
const LOOK_MS = 300;

function descriptorsOf(name: string, pid: number): Record<string, number> {
  const counts: Record<string, number> = {};
  const kept = questionSockets(pid);
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const kind = kindOf(`/proc/${pid}/fd/${fd}`, kept);
    if (kind === undefined) continue;
    counts[`${name} ${kind}`] = (counts[`${name} ${kind}`] ?? 0) + 1;
  }
  return counts;
}

/** Undefined for what counts for nothing. */
function kindOf(link: string, kept: ReadonlySet<string>): string | undefined {
  try {
    const target = readlinkSync(link);
    return kept.has(target) ? QUESTIONS : target.replace(/:\[\d+\]$/, '');
  } catch {
    return undefined; // closed between the listing and the look
  }
}

/** A thread opens one at its first question about a socket and keeps it: more of them than at the first rest are no leak yet. */
const QUESTIONS = 'socket for questions to the kernel';

/** The sockets of netlink's protocol 4 (NETLINK_SOCK_DIAG), as links in /proc name them. */
function questionSockets(pid: number): ReadonlySet<string> {
  const rows = readFileSync(`/proc/${pid}/net/netlink`, 'latin1').split('\n').slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/));
  return new Set(fields.filter((row) => row[1] === '4').map((row) => `socket:[${row.at(-1) ?? ''}]`));
}

/** What the later picture has more than the earlier one. The heaps may grow by `growth` bytes in all, or by anything. */
export function whatGrew(before: Rest, after: Rest, growth: number | undefined): readonly string[] {
  const broken = [...after.unrest];
  for (const [kind, count] of Object.entries(after.descriptors)) {
    const earlier = kind.endsWith(QUESTIONS) ? threadsOf(kind) : (before.descriptors[kind] ?? 0);
    if (count > earlier) broken.push(`descriptors leaked: ${kind}: ${count}, ${earlier} before`);
  }
  for (const [thread, held] of after.threads)
    broken.push(...threadGrew(thread, before.threads.get(thread), held));
  if (after.rules !== before.rules)
    broken.push(`rules are left: ${moreLines(before.rules, after.rules).join(' | ')}`);
  broken.push(...after.foreign.map((element) => `an element of a rule set that is no server: ${element}`));
  const grown = heapOf(after) - heapOf(before);
  if (growth !== undefined && grown > growth)
    broken.push(`the heaps grew by ${Math.round(grown / 1024)} KiB at rest`);
  return broken;
}

/** How many threads may keep one: all of the proxy's, or the one of the supervisor. */
function threadsOf(kind: string): number {
  return kind.startsWith('proxy ') ? threads.length : 1;
}

function threadGrew(thread: string, before: Answer | undefined, after: Answer): readonly string[] {
  if (before?.born !== after.born) return [`${thread} died, and the soak did not kill it`];
  return Object.entries(after.resources)
    .filter(([kind, count]) => count > (before.resources[kind] ?? 0))
    .map(([kind, count]) => `${thread} keeps ${count} of ${kind}, ${before.resources[kind] ?? 0} before`);
}

/** Heap and buffers of all threads of the proxy after a full collection, in bytes. */
export function heapOf({ threads: held }: Rest): number {
  return [...held.values()].reduce((sum, { heap, buffers }) => sum + heap + buffers, 0);
}

function moreLines(before: string, after: string): readonly string[] {
  const known = new Set(before.split('\n'));
  const added = after.split('\n').filter((line) => !known.has(line));
  return added.length > 0 ? added.map((line) => line.trim()) : ['fewer than before'];
}

const expectedErrors: readonly RegExp[] = [
  /a worker died and is being replaced .*the soak lit the fuse/,
  /the proxy process ended; starting another signal=SIGKILL/,
];

/** Errors in the daemon's log that the soak did not cause. */
export function strangeErrors(log: string): readonly string[] {
  return log
    .split('\n')
    .filter((line) => line.includes(' error ') || /uncaught|unhandled|TypeError|RangeError/i.test(line))
    .filter((line) => !expectedErrors.some((expected) => expected.test(line)));
}

/** Nobody may hang on a question at rest; those that stand open must all be answerable. */
export async function closeQuestions(
  ground: Ground,
): Promise<{ readonly asked: number; readonly broken: readonly string[] }> {
  const open = await questions(ground.daemon);
  const broken = open
    .filter(({ waiting }) => waiting > 0)
    .map(({ id }) => `somebody still waits for question ${id}`);
  for (const { id } of open) await ground.daemon.json(['prompts', '--answer', id, 'refuse']);
  const left = await questions(ground.daemon);
  broken.push(...left.map(({ id }) => `question ${id} was answered and is still open`));
  return { asked: open.length, broken };
}

/** Stops the daemon; nothing of it may be left on the client's host. */
export async function stopDaemon(ground: Ground): Promise<readonly string[]> {
  await ground.daemon.stop();
  const broken: string[] = [];
  const ruleset = await ground.ruleset();
  if (ruleset.trim() !== '') broken.push(`rules are left after the stop: ${ruleset.slice(0, 500)}`);
  const pids = (await run({}, ['ip', 'netns', 'pids', ground.lab.network.pc])).stdout.trim();
  if (pids !== '') broken.push(`processes are left after the stop: ${pids.replaceAll('\n', ' ')}`);
  return broken;
}
