// Takes the connections that wait at a listening socket. Node accepts one a turn of its event loop (libuv since 1.45), so with
// many callers at once a client can have had its answer, and be gone, before its other connection is seen.
import { Socket, type Server } from 'node:net';
import { acceptDescriptor } from './libc.js';
import { socketDescriptor } from './socket-descriptor.js';

/** So that a flood of connections does not keep the thread from everything else. */
const AT_ONCE = 64;

/** Every connection that waits now, paused and half-open as the listener's own are to be. The caller owns them. */
export function acceptPending(listener: Server): readonly Socket[] {
  const descriptor = socketDescriptor(listener);
  const sockets: Socket[] = [];
  while (descriptor !== undefined && sockets.length < AT_ONCE) {
    const fd = acceptDescriptor(descriptor);
    if (fd === undefined) break;
    // A variable, because the types of Node do not know `pauseOnCreate`, which net.Server itself uses.
    const options = { fd, readable: true, writable: true, allowHalfOpen: true, pauseOnCreate: true };
    sockets.push(new Socket(options));
  }
  return sockets;
}
