// What a status comes to, for monitoring. Pure.
import type { Status } from './ipc-messages.js';

/**
 * `ok`: connections are secured and there is nothing to tell. `attention`: they are, and there is a warning or a part that is
 * missing. `failed`: new connections are not secured now.
 */
export type Health = 'ok' | 'attention' | 'failed';

export function healthOf({ redirect, workers, warnings }: Status): Health {
  const alive = workers.filter((worker) => worker.alive).length;
  if (redirect.kind === 'failed' || redirect.kind === 'starting' || alive === 0) return 'failed';
  return warnings.length > 0 || alive < workers.length ? 'attention' : 'ok';
}
