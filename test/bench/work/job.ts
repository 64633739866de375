// What every piece of work needs around the client's own: the proxy's CPU time, and a check that it was all done.
import type { Contender } from '../contenders/contender.js';
import { cpuSeconds } from '../process-tree.js';
import type { DriverResult } from './driver.js';

/** What a job took in all. */
export interface JobTimes {
  readonly seconds: number;
  /** CPU seconds of the proxy and of the client. */
  readonly proxyCpu: number | undefined;
  readonly clientCpu: number;
}

/** What the action gave, and the CPU seconds that the contender's proxy spent meanwhile. */
export async function withProxyCpu<T>(
  contender: Contender,
  action: () => Promise<T>,
): Promise<{ readonly result: T; readonly proxyCpu: number | undefined }> {
  const pid = contender.proxy?.pid();
  if (pid === undefined) return { result: await action(), proxyCpu: undefined };
  const before = await cpuSeconds(pid);
  const result = await action();
  return { result, proxyCpu: (await cpuSeconds(pid)) - before };
}

/** Throws unless so many bytes have moved. */
export function checkBytes(contender: Contender, result: DriverResult, bytes: number): void {
  if (result.bytes !== bytes)
    throw new Error(`${contender.name} moved ${result.bytes ?? 0} bytes of ${bytes}`);
}
