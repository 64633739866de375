// What /proc tells about a running process.
import { readFileSync, readdirSync } from 'node:fs';

/** Proportional set size in bytes: shared pages count once among those who share them. */
export function proportionalMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
}

/** How many file descriptors are open. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The text of /proc/<pid>/task/<tid>/status for every thread. */
export function threadStatuses(pid: number): readonly string[] {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).map((tid) => readFileSync(`${tasks}/${tid}/status`, 'latin1'));
}
