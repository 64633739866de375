// The error that the kernel holds for a socket. libuv reports a connection that was reset right behind its last bytes as
// regularly ended (it takes POLLHUP after a short read for the end), and half a file would pass for a whole one.
import type { Socket } from 'node:net';
import { socketOption } from './libc.js';
import { socketDescriptor } from './socket-descriptor.js';

const SOL_SOCKET = 1;
const SO_ERROR = 4;

/**
 * Whether the connection was in truth reset; ask once, when the socket emits `end` and before its own end is closed. The
 * kernel forgets the error when it is asked. False where this is not Linux: there Node reports resets as errors.
 */
export function endedByReset(socket: Socket): boolean {
  const fd = process.platform === 'linux' ? socketDescriptor(socket) : undefined;
  return fd !== undefined && socketOption(fd, SOL_SOCKET, SO_ERROR, 4).readInt32LE() !== 0;
}
