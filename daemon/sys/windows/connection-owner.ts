// Whose a connection is on Windows. Windows only.
import { processOwnerIf, type ProcessOwner } from './process-owner.js';
import { connectionPid } from './tcp-table.js';
import type { Endpoint } from '../../../shared/endpoint.js';

/**
 * The process that holds the connection from `local`, its own end, to `remote`. The connection is looked up again while the
 * process is held open, so that a process number that was used again meanwhile deceives nobody.
 */
export function connectionOwner(local: Endpoint, remote: Endpoint): ProcessOwner | undefined {
  const pid = connectionPid(local, remote);
  if (pid === undefined) return undefined;
  return processOwnerIf(pid, () => connectionPid(local, remote) === pid);
}
