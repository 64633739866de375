// The error that the kernel holds for a socket. libuv reports some connections that were reset as regularly ended, and half a
// file would pass for a whole one: that of Node 20 when the reset stood right behind the last bytes (it takes POLLHUP after a
// short read for the end); that of Node 24 reads once more there and gets the error, but it too takes POLLHUP without POLLIN for the
// end, which comes when a socket that was only written to is read again in the turn of the loop that tells of its reset.
import type { Socket } from 'node:net';
import { pendingError } from './libc.js';
import { socketDescriptor } from './socket-descriptor.js';

/**
 * Whether the connection was in truth reset; ask once, when the socket emits `end` and before its own end is closed. The
 * kernel forgets the error when it is asked. False where this is not Linux: there Node reports resets as errors.
 */
export function endedByReset(socket: Socket): boolean {
  const fd = process.platform === 'linux' ? socketDescriptor(socket) : undefined;
  return fd !== undefined && pendingError(fd) !== 0;
}
