// The file descriptor under a Node socket, for the calls of libc.ts. Node keeps it in an internal field.
import { z } from 'zod';
import type { Server, Socket } from 'node:net';

const withHandle = z.object({ _handle: z.object({ fd: z.number().int().min(0) }) });

/** The socket's descriptor, still owned by Node; `undefined` once the socket is closed. */
export function socketDescriptor(socket: Socket | Server): number | undefined {
  const parsed = withHandle.safeParse(socket);
  return parsed.success ? parsed.data._handle.fd : undefined;
}
