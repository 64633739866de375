// What every piece of work needs around the client's own: the CPU time of what is measured, and a check that it was all done.
import type { Contender } from './contender.js';
import { cpuSeconds } from '../process-tree.js';
import type { DriverResult } from './driver.js';

/** What a job took in all. */
export interface JobTimes {
  readonly seconds: number;
  /** CPU seconds of the contender's process trees and of the client. */
  readonly ownCpu: number | undefined;
  readonly clientCpu: number;
}

/** What the action gave, and the CPU seconds that the contender's process trees spent meanwhile. */
export async function withCpu<T>(
  contender: Contender,
  action: () => Promise<T>,
): Promise<{ readonly result: T; readonly ownCpu: number | undefined }> {
  const roots = contender.roots();
  if (roots.length === 0) return { result: await action(), ownCpu: undefined };
  const before = await cpuSeconds(roots);
  const result = await action();
  return { result, ownCpu: (await cpuSeconds(roots)) - before };
}

/** Throws unless so many bytes have moved. */
export function checkBytes(contender: Contender, result: DriverResult, bytes: number): void {
  if (result.bytes !== bytes)
    throw new Error(`${contender.name} moved ${result.bytes ?? 0} bytes of ${bytes}`);
}
