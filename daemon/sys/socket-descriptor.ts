// The file descriptor under a Node socket, for the calls of libc.ts. Node keeps it in an internal field.
import type { Server, Socket } from 'node:net';

/** The socket's descriptor, still owned by Node; `undefined` once the socket is closed. */
export function socketDescriptor(socket: Socket | Server): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return undefined;
  const { fd } = handle;
  return typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 ? fd : undefined;
}
