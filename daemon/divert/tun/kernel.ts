// The calls that a TUN device needs and Node lacks, bound through koffi. No policy here.
import koffi from 'koffi';
import { ERRNO, ErrnoError } from '../../sys/libc.js';

interface Calls {
  readonly open: (...args: unknown[]) => unknown;
  readonly close: (...args: unknown[]) => unknown;
  readonly ioctl: (...args: unknown[]) => unknown;
  readonly read: (...args: unknown[]) => unknown;
  readonly write: (...args: unknown[]) => unknown;
  readonly poll: (...args: unknown[]) => unknown;
  readonly eventfd: (...args: unknown[]) => unknown;
  readonly socket: (...args: unknown[]) => unknown;
  readonly setsockopt: (...args: unknown[]) => unknown;
  readonly sendto: (...args: unknown[]) => unknown;
}

let loaded: Calls | undefined;

// ssize_t is spelled intptr_t: koffi knows no ssize_t.
function calls(): Calls {
  if (loaded !== undefined) return loaded;
  const library = koffi.load(null);
  loaded = {
    open: library.func('int open(const char *path, int flags)'),
    close: library.func('int close(int fd)'),
    ioctl: library.func('int ioctl(int fd, unsigned long request, void *argument)'),
    read: library.func('intptr_t read(int fd, void *buffer, size_t length)'),
    write: library.func('intptr_t write(int fd, void *buffer, size_t length)'),
    poll: library.func('int poll(void *fds, unsigned long count, int timeout)'),
    eventfd: library.func('int eventfd(unsigned int initial, int flags)'),
    socket: library.func('int socket(int domain, int type, int protocol)'),
    setsockopt: library.func('int setsockopt(int fd, int level, int name, void *value, uint32_t length)'),
    sendto: library.func(
      'intptr_t sendto(int fd, void *buffer, size_t length, int flags, void *address, uint32_t size)',
    ),
  };
  return loaded;
}

function checked(call: keyof Calls, args: readonly unknown[]): number {
  const value = tried(call, args);
  if (value < 0) throw new ErrnoError(call, koffi.errno());
  return value;
}

function tried(call: keyof Calls, args: readonly unknown[]): number {
  const result = calls()[call](...args);
  return typeof result === 'bigint' ? Number(result) : typeof result === 'number' ? result : -1;
}

const O_RDWR_NONBLOCK_CLOEXEC = 2 | 0x800 | 0x80000;
const TUNSETIFF = 0x400454ca;
/** IP packets without a header of the driver's own. */
const IFF_TUN_NO_PI = 0x0001 | 0x1000;
const IFREQ_SIZE = 40;
const NAME_SIZE = 16;

/** Opens a TUN device; `name` may hold `%d` for a free number. It vanishes with its descriptor. Throws an ErrnoError. */
export function openTun(name: string): { readonly fd: number; readonly name: string } {
  const fd = checked('open', ['/dev/net/tun', O_RDWR_NONBLOCK_CLOEXEC]);
  const request = Buffer.alloc(IFREQ_SIZE);
  request.write(name, 0, NAME_SIZE - 1, 'latin1');
  request.writeUInt16LE(IFF_TUN_NO_PI, NAME_SIZE);
  try {
    checked('ioctl', [fd, TUNSETIFF, request]);
  } catch (error) {
    closeFile(fd);
    throw error;
  }
  return { fd, name: request.toString('latin1', 0, request.indexOf(0)) };
}

/** A descriptor through which one thread wakes another out of `waitFor`. */
export function openWakeup(): number {
  const EFD_NONBLOCK_CLOEXEC = 0x800 | 0x80000;
  return checked('eventfd', [0, EFD_NONBLOCK_CLOEXEC]);
}

/** Wakes; any number of times before the other looks counts as one. */
export function wake(fd: number): void {
  const one = Buffer.alloc(8);
  one.writeBigUInt64LE(1n);
  tried('write', [fd, one, 8]);
}

const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const IPPROTO_RAW = 255;
const SOL_SOCKET = 1;
const SO_MARK = 36;

/** A socket that sends whole IP packets, marked for the machine's own rules. `family` is AF_INET or AF_INET6. */
export function openRawSocket(family: number, mark: number): number {
  const fd = checked('socket', [family, SOCK_RAW_CLOEXEC, IPPROTO_RAW]);
  const value = Buffer.alloc(4);
  value.writeUInt32LE(mark);
  checked('setsockopt', [fd, SOL_SOCKET, SO_MARK, value, value.length]);
  return fd;
}

export function closeFile(fd: number): void {
  tried('close', [fd]);
}

/** read(2) without waiting; 0 if nothing is there, -1 if the file is broken (its device was removed). */
export function readPacket(fd: number, into: Uint8Array): number {
  const length = tried('read', [fd, into, into.length]);
  if (length >= 0) return length;
  const errno = koffi.errno();
  return errno === ERRNO.EAGAIN || errno === EINTR ? 0 : -1;
}

const EINTR = 4;

/** write(2); a packet that the kernel will not have is lost, as on any network. */
export function writePacket(fd: number, bytes: Uint8Array, length: number): void {
  tried('write', [fd, bytes, length]);
}

/** sendto(2); a packet that the kernel will not have is lost, as on any network. */
export function sendPacket(fd: number, bytes: Uint8Array, length: number, sockaddr: Uint8Array): void {
  tried('sendto', [fd, bytes, length, 0, sockaddr, sockaddr.length]);
}

/** The descriptors to be waited for, as the kernel wants them; made once. */
export function pollList(fds: readonly number[]): Buffer {
  const POLLIN = 1;
  const list = Buffer.alloc(8 * fds.length);
  fds.forEach((fd, index) => {
    list.writeInt32LE(fd, index * 8);
    list.writeInt16LE(POLLIN, index * 8 + 4);
  });
  return list;
}

/** poll(2) for something to read: at most `timeoutMs`; a signal ends the wait too. Returns whether the first has something. */
export function waitFor(list: Buffer, timeoutMs: number): boolean {
  const ready = tried('poll', [list, list.length / 8, timeoutMs]);
  return ready > 0 && list.readInt16LE(6) !== 0;
}
