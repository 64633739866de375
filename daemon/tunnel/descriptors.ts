// The descriptors that a tunnel was started with: what they are, and streams on them.
import fs, {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  type NoParamCallback,
  type Stats,
} from 'node:fs';
import net from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { Fault } from '../../shared/fault.js';
import { bulkSocketOn } from '../relay/bulk-socket.js';
import { socketOption } from '../sys/libc.js';
import { pairLeg, type Leg } from './leg.js';

/** Where systemd puts the first socket that it hands over (sd_listen_fds(3)). */
const SYSTEMD_FD = 3;

/** A socket that the parent handed over, read and written here. Throws a Fault of code `usage` if it is none. */
export function socketOnDescriptor(fd: number): net.Socket {
  if (statOf(fd)?.isSocket() !== true) {
    const name = fd === 0 ? 'Standard input' : fd === 1 ? 'Standard output' : `Descriptor ${fd}`;
    throw new Fault(
      'usage',
      `${name} is no socket. Without -p and without a program, a parent has to hand the tunnel its two sockets; else give -p [host:]port.`,
    );
  }
  return bulkSocketOn(fd, { writable: true });
}

/** The descriptor that inetd (0) or systemd (3) handed over. */
export function inetdDescriptor(environment: NodeJS.ProcessEnv, pid: number): number {
  const isForUs = environment['LISTEN_PID'] === String(pid);
  return isForUs && Number(environment['LISTEN_FDS']) >= 1 ? SYSTEMD_FD : 0;
}

/** Whether the descriptor is a socket that listens, as of `wait` services of inetd and sockets of systemd without Accept. */
export function isListening(fd: number): boolean {
  const SOL_SOCKET = 1;
  const SO_ACCEPTCONN = 30;
  if (process.platform !== 'linux' || statOf(fd)?.isSocket() !== true) return false;
  return socketOption(fd, SOL_SOCKET, SO_ACCEPTCONN, 4).readInt32LE() !== 0;
}

/** Whether what is written to standard error goes into the connection itself: inetd hands it over as 0, 1 and 2. */
export function isErrorOutputTheConnection(): boolean {
  const errors = statOf(2);
  if (errors?.isSocket() !== true) return false;
  return [0, 1, SYSTEMD_FD].some((fd) => {
    const other = statOf(fd);
    return other?.isSocket() === true && other.ino === errors.ino && other.dev === errors.dev;
  });
}

/** Standard input and output stay open as files, so that nothing else gets their numbers. */
const withoutClose = {
  ...fs,
  close: (_fd: number, callback?: NoParamCallback) => {
    callback?.(null);
  },
};

/** Standard input and output as a leg; both may be anything: terminals, pipes, files, sockets. */
export function standardLeg(): Leg {
  return pairLeg(openInput(), openOutput());
}

function openInput(): Readable {
  if (isatty(0)) return process.stdin;
  // Node's own stream would do, but not for output, and they have to be of one kind: not blocking.
  if (isStream(0)) return bulkSocketOn(0, { writable: false });
  return createReadStream('', { fd: 0, fs: withoutClose });
}

function openOutput(): Writable {
  if (isatty(1)) return process.stdout;
  if (!isStream(1)) return createWriteStream('', { fd: 1, fs: withoutClose });
  const socket = new net.Socket({ fd: 1, readable: false, writable: true, allowHalfOpen: true });
  socket.once('finish', () => {
    socket.destroy();
  });
  socket.once('close', closeStandardOutput);
  return socket;
}

/** Node never closes it, but whoever reads the pipe waits for that. Another file must not take its number. */
function closeStandardOutput(): void {
  closeSync(1);
  openSync('/dev/null', 'w');
}

function isStream(fd: number): boolean {
  const stat = statOf(fd);
  return stat?.isSocket() === true || stat?.isFIFO() === true;
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}
