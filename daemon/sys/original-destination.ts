// Where a redirected connection was going before the redirect (SO_ORIGINAL_DST), which Node has no call for.
import { formatEndpoint } from '../../shared/endpoint.js';
import { ERRNO, ErrnoError, localSockaddr, socketOption } from './libc.js';
import { AF_INET6, parseSockaddr } from './sockaddr.js';
import type { Endpoint } from '../../shared/endpoint.js';

const SOL_IP = 0;
const SOL_IPV6 = 41;
/** SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST have the same number. */
const SO_ORIGINAL_DST = 80;

/**
 * The destination that the client asked for. `undefined` if the connection was not redirected: it was made to this
 * port directly, or the kernel tracks no connection. Throws an ErrnoError if `fd` is no TCP socket. Synchronous.
 */
export function originalDestination(fd: number): Endpoint | undefined {
  const rawLocal = localSockaddr(fd);
  const local = parseSockaddr(rawLocal);
  const mapped = local !== undefined && !local.address.includes(':');
  const ipv6 = rawLocal.readUInt16LE(0) === AF_INET6 && !mapped;
  const original = ask(fd, ipv6 ? SOL_IPV6 : SOL_IP);
  if (original === undefined || local === undefined) return undefined;
  // A tracked connection that nothing translated reports its own address.
  return formatEndpoint(original) === formatEndpoint(local) ? undefined : original;
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
