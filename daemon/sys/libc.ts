// The few libc calls that Node lacks, bound through koffi. Loaded at first use, so that programs that need none of
// them never map the native module. Works the same in worker threads. No policy here.
import koffi from 'koffi';
import type { NativeBuffer } from './native-buffer.js';

/** A libc call returned -1. `errno` is the number, `call` the function's name. */
export class ErrnoError extends Error {
  readonly errno: number;
  readonly call: string;

  constructor(call: string, errno: number) {
    super(`${call} failed with errno ${errno}`);
    this.name = 'ErrnoError';
    this.call = call;
    this.errno = errno;
  }
}

export const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  ENOBUFS: 105,
  EOPNOTSUPP: 95,
  ENOPROTOOPT: 92,
} as const;

interface Libc {
  readonly socket: (...args: unknown[]) => unknown;
  readonly close: (...args: unknown[]) => unknown;
  readonly fcntl: (...args: unknown[]) => unknown;
  readonly accept4: (...args: unknown[]) => unknown;
  readonly connect: (...args: unknown[]) => unknown;
  readonly bind: (...args: unknown[]) => unknown;
  readonly setsockopt: (...args: unknown[]) => unknown;
  readonly send: (...args: unknown[]) => unknown;
  readonly recv: (...args: unknown[]) => unknown;
  readonly sendto: (...args: unknown[]) => unknown;
  readonly getsockopt: (...args: unknown[]) => unknown;
  readonly epoll_ctl: (...args: unknown[]) => unknown;
  readonly flock: (...args: unknown[]) => unknown;
  readonly recvAt: (...args: unknown[]) => unknown;
  readonly sendAt: (...args: unknown[]) => unknown;
  readonly shutdown: (...args: unknown[]) => unknown;
  readonly prctl: (...args: unknown[]) => unknown;
}

let loaded: Libc | undefined;

// ssize_t is spelled intptr_t: koffi knows no ssize_t.
function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const library = koffi.load(null);
  loaded = {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    close: library.func('int close(int fd)'),
    fcntl: library.func('int fcntl(int fd, int command, ...)'),
    accept4: library.func('int accept4(int fd, void *address, void *length, int flags)'),
    connect: library.func('int connect(int fd, void *address, uint32_t length)'),
    bind: library.func('int bind(int fd, void *address, uint32_t length)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)'),
    send: library.func('intptr_t send(int fd, void *buffer, size_t length, int flags)'),
    sendto: library.func(
      'intptr_t sendto(int fd, void *buffer, size_t length, int flags, void *address, uint32_t size)',
    ),
    recv: library.func('intptr_t recv(int fd, void *buffer, size_t length, int flags)'),
    getsockopt: library.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
    // The same functions for bytes at an address: see native-buffer.ts.
    recvAt: library.func('recv', 'intptr_t', ['int', 'uintptr_t', 'size_t', 'int']),
    sendAt: library.func('send', 'intptr_t', ['int', 'uintptr_t', 'size_t', 'int']),
    shutdown: library.func('int shutdown(int fd, int how)'),
    epoll_ctl: library.func('int epoll_ctl(int epoll, int operation, int fd, void *event)'),
    flock: library.func('int flock(int fd, int operation)'),
    prctl: library.func(
      'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
    ),
  };
  return loaded;
}

function checked(call: keyof Libc, args: readonly unknown[]): number {
  const result = libc()[call](...args);
  const value = typeof result === 'bigint' ? Number(result) : result;
  if (typeof value !== 'number') throw new TypeError(`${call} returned no number`);
  if (value < 0) throw new ErrnoError(call, koffi.errno());
  return value;
}

/** socket(2). The caller closes the descriptor with `closeDescriptor`. */
export function openSocket(domain: number, type: number, protocol: number): number {
  return checked('socket', [domain, type, protocol]);
}

/** close(2), for descriptors that `openSocket` made only: Node closes its own. */
export function closeDescriptor(fd: number): void {
  checked('close', [fd]);
}

/** Another descriptor of the same open file, close-on-exec (fcntl(2)); who gets it closes it. */
export function duplicateDescriptor(fd: number): number {
  const F_DUPFD_CLOEXEC = 1030;
  return checked('fcntl', [fd, F_DUPFD_CLOEXEC, 'int', 3]);
}

/** epoll_ctl(2): `epoll` reports nothing of `fd` any more. False if it is no epoll descriptor or did not report of it. */
export function stopReporting(epoll: number, fd: number): boolean {
  const EPOLL_CTL_DEL = 2;
  return libc().epoll_ctl(epoll, EPOLL_CTL_DEL, fd, Buffer.alloc(16)) === 0;
}

/** accept4(2), close-on-exec; undefined if the connection can't be had now. The listening `fd` must not block. */
export function acceptDescriptor(fd: number): number | undefined {
  const SOCK_CLOEXEC = 0x80000;
  // Nothing there, as nearly always; a caller that has gone already, no descriptors left: Node's own accept meets the same.
  const accepted = libc().accept4(fd, null, null, SOCK_CLOEXEC);
  return typeof accepted === 'number' && accepted >= 0 ? accepted : undefined;
}

/** connect(2) to a raw sockaddr. */
export function connectDescriptor(fd: number, address: Uint8Array): void {
  checked('connect', [fd, address, address.length]);
}

/** bind(2) to a raw sockaddr. */
export function bindDescriptor(fd: number, address: Uint8Array): void {
  checked('bind', [fd, address, address.length]);
}

/** setsockopt(2) with an int. */
export function setSocketOption(fd: number, level: number, name: number, value: number): void {
  const cell = lengthCell(value);
  checked('setsockopt', [fd, level, name, cell, cell.length]);
}

/** send(2); returns the number of bytes taken. */
export function sendBytes(fd: number, bytes: Uint8Array): number {
  return checked('send', [fd, bytes, bytes.length, 0]);
}

/** recv(2) without waiting; throws an ErrnoError with EAGAIN when nothing is there. */
export function receiveBytes(fd: number, into: Uint8Array): number {
  const MSG_DONTWAIT = 0x40;
  return checked('recv', [fd, into, into.length, MSG_DONTWAIT]);
}

/** recv(2) without waiting, of at most `length` bytes into the buffer at `at`; 0 is the peer's FIN. */
export function receiveAt(
  fd: number,
  into: NativeBuffer,
  at: number,
  length: number,
): number | 'nothing' | 'broken' {
  const MSG_DONTWAIT = 0x40;
  return moved(libc().recvAt(fd, into.address(at, length), length, MSG_DONTWAIT));
}

/** send(2) without waiting and without SIGPIPE; how many of the bytes at `at` the kernel took. */
export function sendAt(
  fd: number,
  from: NativeBuffer,
  at: number,
  length: number,
): number | 'nothing' | 'broken' {
  const [MSG_DONTWAIT, MSG_NOSIGNAL] = [0x40, 0x4000];
  return moved(libc().sendAt(fd, from.address(at, length), length, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/** The same for memory that OpenSSL owns: `address` and `length` are what it has said of it, unused by anyone in between. */
export function sendForeign(fd: number, address: number, length: number): number | 'nothing' | 'broken' {
  const [MSG_DONTWAIT, MSG_NOSIGNAL] = [0x40, 0x4000];
  return moved(libc().sendAt(fd, address, length, MSG_DONTWAIT | MSG_NOSIGNAL));
}

function moved(result: unknown): number | 'nothing' | 'broken' {
  const count = typeof result === 'bigint' ? Number(result) : result;
  if (typeof count === 'number' && count >= 0) return count;
  const errno = koffi.errno();
  return errno === ERRNO.EAGAIN || errno === ERRNO.EINTR ? 'nothing' : 'broken';
}

/** From now on close(2) resets the connection instead of ending it (SO_LINGER of no time). */
export function resetOnClose(fd: number): void {
  const [SOL_SOCKET, SO_LINGER] = [1, 13];
  const linger = Buffer.alloc(8);
  linger.writeInt32LE(1, 0);
  libc().setsockopt(fd, SOL_SOCKET, SO_LINGER, linger, linger.length);
}

/** shutdown(2): the peer gets our FIN behind everything that was sent; false if the connection is gone. */
export function endWriting(fd: number): boolean {
  const SHUT_WR = 1;
  return libc().shutdown(fd, SHUT_WR) === 0;
}

/** The error that the kernel holds for a socket, 0 for none. It forgets the error when it is asked. */
export function pendingError(fd: number): number {
  const [SOL_SOCKET, SO_ERROR] = [1, 4];
  return socketOption(fd, SOL_SOCKET, SO_ERROR, 4).readInt32LE();
}

/** A Unix datagram socket, close-on-exec. */
export function openDatagramSocket(): number {
  const [AF_UNIX, SOCK_DGRAM, SOCK_CLOEXEC] = [1, 2, 0x80000];
  return openSocket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/** sendto(2) to the Unix socket at `path`, which has at most 107 bytes; without waiting. Throws an ErrnoError. */
export function sendDatagram(fd: number, bytes: Uint8Array, path: string): void {
  const [MSG_DONTWAIT, MSG_NOSIGNAL, AF_UNIX] = [0x40, 0x4000, 1];
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  const written = address.write(path, 2, 107);
  checked('sendto', [fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, 3 + written]);
}

/** getsockopt(2); returns the part of `size` bytes that the kernel filled. */
export function socketOption(fd: number, level: number, name: number, size: number): Buffer {
  const value = Buffer.alloc(size);
  const length = lengthCell(size);
  checked('getsockopt', [fd, level, name, value, length]);
  return value.subarray(0, length.readUInt32LE());
}

/** flock(2), exclusive, without waiting; false if another open file has the lock. Held until all copies of `fd` are closed. */
export function tryLock(fd: number): boolean {
  const LOCK_EX_NB = 2 | 4;
  try {
    checked('flock', [fd, LOCK_EX_NB]);
    return true;
  } catch (error) {
    if (error instanceof ErrnoError && error.errno === ERRNO.EAGAIN) return false;
    throw error;
  }
}

/** prctl(2) with one argument. */
export function processControl(option: number, value: number): void {
  checked('prctl', [option, value, 0, 0, 0]);
}

// Every platform that Debian 12 runs Node on and ftpseal supports is little-endian except s390x; native order it is.
function lengthCell(value: number): Buffer {
  const cell = Buffer.alloc(4);
  cell.writeUInt32LE(value);
  return cell;
}
