// Who is at the other end of a Unix socket, as the kernel noted it when the connection was made.
import { socketOption } from './libc.js';

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** What the kernel writes where the peer has no identity in our user namespace, or never had one. */
const NOBODY = 0xffff_ffff;

/** The peer of the connected Unix socket `fd`. `undefined` if it has none; throws an ErrnoError if `fd` is no socket. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  const raw = socketOption(fd, SOL_SOCKET, SO_PEERCRED, 12);
  if (raw.length < 12) return undefined;
  const credentials = { pid: raw.readInt32LE(0), uid: raw.readUInt32LE(4), gid: raw.readUInt32LE(8) };
  return credentials.uid === NOBODY ? undefined : credentials;
}
