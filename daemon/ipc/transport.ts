// How callers reach the daemon and how it knows who they are: a Unix socket whose peer the kernel names, or on Windows loopback with a
// proof of its own. The contract; system-transport.ts chooses the implementation.
import type { Server, Socket } from 'node:net';
import type { UserId } from '../../shared/user-id.js';

export interface IpcPeer {
  readonly uid: UserId;
  /** Acts with an administrator's rights, besides being this user (Windows). */
  readonly isAdministrator: boolean;
}

export interface IpcTransport {
  /** Makes `path` the place where callers find this server. Rejects with a Fault of code `usage` if a living daemon has it. */
  listen(server: Server, path: string): Promise<void>;
  /** Who is at the other end; undefined, within seconds, if that is not proven. What the caller sends next is left unread. */
  identify(socket: Socket, path: string): Promise<IpcPeer | undefined>;
  /** A connection to the daemon at `path`, after whatever proof it wants. Rejects with any error if none answers. */
  open(path: string): Promise<Socket>;
}
