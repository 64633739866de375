// Where a redirected connection was going before the redirect (SO_ORIGINAL_DST), which Node has no call for.
import type { Socket } from 'node:net';
import { familyOf, parseIpAddress, parsePort, type Endpoint } from '../../shared/endpoint.js';
import { ERRNO, ErrnoError, socketOption } from './libc.js';
import { parseSockaddr } from './sockaddr.js';
import { socketDescriptor } from './socket-descriptor.js';

const SOL_IP = 0;
const SOL_IPV6 = 41;
/** SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST have the same number. */
const SO_ORIGINAL_DST = 80;

/**
 * The destination that the client of an accepted connection asked for. `undefined` if the connection was not redirected: it was
 * made to this port directly, or the kernel tracks no connection; also if it is closed already. Synchronous.
 */
export function originalDestination(accepted: Socket): Endpoint | undefined {
  const fd = socketDescriptor(accepted);
  const local = localEndOf(accepted);
  if (fd === undefined || local === undefined) return undefined;
  const original = ask(fd, familyOf(local.address) === 6 ? SOL_IPV6 : SOL_IP);
  // A tracked connection that nothing translated reports its own address.
  const isOwn = original?.address === local.address && original.port === local.port;
  return isOwn ? undefined : original;
}

/** Node has asked the kernel for it once; a link-local address carries its zone. */
function localEndOf({ localAddress, localPort }: Socket): Endpoint | undefined {
  const address = parseIpAddress(localAddress?.replace(/%.*/, ''));
  const port = parsePort(localPort);
  return address === undefined || port === undefined ? undefined : { address, port };
}

function ask(fd: number, level: number): Endpoint | undefined {
  try {
    return parseSockaddr(socketOption(fd, level, SO_ORIGINAL_DST, 28));
  } catch (error) {
    if (error instanceof ErrnoError && notTracked.has(error.errno)) return undefined;
    throw error;
  }
}

/** ENOENT: no such connection. ENOPROTOOPT, EOPNOTSUPP: the kernel has no connection tracking loaded. */
const notTracked: ReadonlySet<number> = new Set([ERRNO.ENOENT, ERRNO.ENOPROTOOPT, ERRNO.EOPNOTSUPP]);
