// Whose connection is it? A port on loopback is open to every user of the machine; the kernel tells who holds the other end.
import type { Socket } from 'node:net';
import { parseIpAddress, parsePort, type Endpoint } from '../../shared/endpoint.js';
import { ownUser } from '../../daemon/sys/own-user.js';
import { findSocket } from '../../daemon/sys/sock-diag.js';
import { connectionOwner } from '../../daemon/sys/windows/connection-owner.js';

/**
 * Whether the other end of a loopback connection is held by this process's own user. Where the system can't be asked
 * (neither Linux nor Windows), true: the token decides alone there.
 */
export function isOwnPeer(socket: Socket): boolean {
  const remote = endpoint(socket.remoteAddress, socket.remotePort);
  const local = endpoint(socket.localAddress, socket.localPort);
  const own = ownUser();
  if (process.platform !== 'linux' && process.platform !== 'win32') return true;
  if (own === undefined || remote === undefined || local === undefined) return false;
  try {
    if (process.platform === 'win32') return connectionOwner(remote, local)?.sid === own;
    return findSocket(remote, local)?.uid === own;
  } catch {
    return false;
  }
}

function endpoint(address: string | undefined, port: number | undefined): Endpoint | undefined {
  const parsed = { address: parseIpAddress(address), port: parsePort(port) };
  if (parsed.address === undefined || parsed.port === undefined) return undefined;
  return { address: parsed.address, port: parsed.port };
}
