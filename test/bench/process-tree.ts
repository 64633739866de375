// What processes and all their descendants have used, read from /proc.
import { readFileSync, readdirSync } from 'node:fs';
import { sleep } from '../lab/harness/command.js';

/** Memory of process trees in bytes. `pss` shares pages among those who map them; `rss` counts them every time. */
export interface Memory {
  readonly rss: number;
  readonly pss: number;
  readonly processes: number;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Ticks of its own and of children that it has waited for. */
  readonly ticks: number;
}

/** USER_HZ, which Linux fixes at 100 for everything it shows to programs. */
const ticksPerSecond = 100;

/** Field numbers of proc(5), counted from the field after the program's name. */
const field = { parent: 1, utime: 11, stime: 12, cutime: 13, cstime: 14 } as const;

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const at = (index: number): number => Number(fields[index]);
    const ticks = at(field.utime) + at(field.stime) + at(field.cutime) + at(field.cstime);
    return { pid, parent: at(field.parent), ticks };
  } catch {
    return undefined; // it has ended
  }
}

function tree(roots: readonly number[]): readonly Stat[] {
  const all = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .flatMap((pid) => readStat(pid) ?? []);
  const members = new Set(roots);
  for (let grown = true; grown;) {
    const before = members.size;
    for (const stat of all) if (members.has(stat.parent)) members.add(stat.pid);
    grown = members.size > before;
  }
  return all.filter((stat) => members.has(stat.pid));
}

/**
 * User and system time of the trees in seconds, ended children included. Waits, three seconds at most, until they
 * have come to rest, so that what a proxy does after the client has gone is counted too.
 */
export async function cpuSeconds(roots: readonly number[]): Promise<number> {
  let last = '';
  let ticks = 0;
  for (let look = 0; look < 60; look += 1) {
    const stats = tree(roots);
    ticks = stats.reduce((sum, stat) => sum + stat.ticks, 0);
    const now = `${stats.length} ${ticks}`;
    if (now === last) break;
    last = now;
    await sleep(50);
  }
  return ticks / ticksPerSecond;
}

/** The trees' memory now. Needs root for processes of other users. */
export function memory(roots: readonly number[]): Memory {
  const rollups = tree(roots).flatMap((stat) => readRollup(stat.pid) ?? []);
  const kilobytes = (name: string): number =>
    rollups.reduce(
      (sum, text) => sum + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0),
      0,
    );
  return { rss: kilobytes('Rss') * 1024, pss: kilobytes('Pss') * 1024, processes: rollups.length };
}

/** Memory with that many sessions open, for the JSON, in bytes. */
export function rawMemory(sessions: number, before: Memory, open: Memory): Readonly<Record<string, number>> {
  return {
    sessions,
    pssBefore: before.pss,
    pssOpen: open.pss,
    rssBefore: before.rss,
    rssOpen: open.rss,
    processesBefore: before.processes,
    processesOpen: open.processes,
  };
}

function readRollup(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  } catch {
    return undefined; // it has ended
  }
}
