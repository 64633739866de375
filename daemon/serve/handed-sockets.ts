// Sockets that whoever started us has opened: inetd's connection on descriptor 0, and systemd's from descriptor 3 on
// (sd_listen_fds(3)).
import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { Fault } from '../../shared/fault.js';
import { socketOption } from '../sys/libc.js';

const FIRST_FD = 3;
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;

export interface HandedSocket {
  readonly fd: number;
  readonly kind: 'listener' | 'connection';
  /** FileDescriptorName= of the socket unit; `unknown` without one. */
  readonly name: string;
}

/** Those that systemd has handed over, if it has; they are not handed on to anybody else. */
export function socketsFromSystemd(env: NodeJS.ProcessEnv, pid: number): readonly HandedSocket[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = env;
  delete env['LISTEN_PID'];
  delete env['LISTEN_FDS'];
  delete env['LISTEN_FDNAMES'];
  if (forPid !== String(pid) || count === undefined || !/^[0-9]{1,3}$/.test(count)) return [];
  return Array.from({ length: Number(count) }, (_, index) => {
    const fd = FIRST_FD + index;
    return { fd, kind: kindOf(fd), name: names.split(':')[index] ?? 'unknown' };
  });
}

function kindOf(fd: number): HandedSocket['kind'] {
  return socketOption(fd, SOL_SOCKET, SO_ACCEPTCONN, 4).readInt32LE() === 0 ? 'connection' : 'listener';
}

/** The connection on a descriptor, paused. Throws a Fault of code `usage` if it is no socket. */
export function connectionOn(fd: number): Socket {
  if (!fstatSync(fd).isSocket()) {
    throw new Fault(
      'usage',
      '--inetd serves the connection on standard input, which is no socket here; start it from inetd or systemd.',
    );
  }
  const socket = new Socket({ fd, allowHalfOpen: true, readable: true, writable: true });
  // A client may be gone before anybody listens to its connection.
  socket.on('error', () => undefined);
  return socket.pause();
}

/** Whether both descriptors are the same open file: inetd's child must not log into its client's connection. */
export function isSameFile(one: number, other: number): boolean {
  try {
    const [a, b] = [fstatSync(one), fstatSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
