// Which user opened an intercepted connection.
import { ErrnoError } from './libc.js';
import { findSocket, findSocketsTo } from './sock-diag.js';
import { connectionOwner } from './windows/connection-owner.js';
import type { Endpoint } from '../../shared/endpoint.js';
import type { UserId } from '../../shared/user-id.js';

/**
 * The user who holds the client's socket. `local` is the accepted connection's peer, `remote` its **original**
 * destination: the client's socket knows nothing of the redirect. `undefined` if nobody holds it (any more) or if it
 * can't be told. Synchronous. Linux: some 20 microseconds, no privilege. Windows: other users' sockets are told to the system's
 * own services alone.
 */
export function socketOwner(local: Endpoint, remote: Endpoint): UserId | undefined {
  if (process.platform === 'win32') return connectionOwner(local, remote)?.sid;
  try {
    return findSocket(local, remote)?.uid ?? commonOwner(remote);
  } catch (error) {
    // Out of descriptors, or a kernel without sock_diag: the owner is unknown, the session goes on under that policy.
    if (error instanceof ErrnoError) return undefined;
    throw error;
  }
}

// Connection tracking gives a client another source port when two of its connections (same port, different servers)
// would look the same after the redirect. Then the exact look-up finds nothing, and all that is known is who talks to
// this server at all. This process's own connections to the server are among them.
function commonOwner(remote: Endpoint): number | undefined {
  const own = process.geteuid?.();
  const uids = new Set(findSocketsTo(remote).map((socket) => socket.uid));
  if (own !== undefined) uids.delete(own);
  const [uid] = uids;
  return uids.size === 1 ? uid : undefined;
}
