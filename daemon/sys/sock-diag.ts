// Asks the kernel about TCP sockets of this network namespace through NETLINK_SOCK_DIAG: works without any
// privilege and takes microseconds, where /proc/net/tcp takes milliseconds. Synchronous.
import { formatEndpoint, parsePort } from '../../shared/endpoint.js';
import { ERRNO, ErrnoError, closeDescriptor, openSocket, receiveBytes, sendBytes } from './libc.js';
import { AF_INET, AF_INET6, addressFromBytes, addressToBytes } from './sockaddr.js';
import type { Endpoint } from '../../shared/endpoint.js';

/** A socket that a process holds. */
export interface OwnedSocket {
  readonly uid: number;
  readonly inode: number;
}

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0x80000;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const IPPROTO_TCP = 6;
/** Every state in which a process can still hold a connected socket. */
const CONNECTED_STATES = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 5) | (1 << 8) | (1 << 9) | (1 << 11);
const HEADER = 16;
const REQUEST = 56;
const MESSAGE = 72;

/** The socket with exactly this local and remote address, if a process still holds it. */
export function findSocket(local: Endpoint, remote: Endpoint): OwnedSocket | undefined {
  const found = query(request(local, remote, NLM_F_REQUEST));
  return found.find((entry) => same(entry.local, local) && same(entry.remote, remote));
}

/** Every socket connected (or connecting) to `remote`. Costs a walk over the kernel's table: a fall-back. */
export function findSocketsTo(remote: Endpoint): readonly OwnedSocket[] {
  const families = remote.address.includes(':') ? [AF_INET6] : [AF_INET, AF_INET6];
  return families
    .flatMap((family) => query(request(undefined, remote, NLM_F_REQUEST | NLM_F_DUMP, family)))
    .filter((entry) => same(entry.remote, remote));
}

interface Entry extends OwnedSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

function same(a: Endpoint, b: Endpoint): boolean {
  return formatEndpoint(a) === formatEndpoint(b);
}

function request(local: Endpoint | undefined, remote: Endpoint, flags: number, family?: number): Buffer {
  const bytes = Buffer.alloc(HEADER + REQUEST);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt8(family ?? (remote.address.includes(':') ? AF_INET6 : AF_INET), HEADER);
  bytes.writeUInt8(IPPROTO_TCP, HEADER + 1);
  bytes.writeUInt32LE(CONNECTED_STATES, HEADER + 4);
  const id = HEADER + 8;
  bytes.writeUInt16BE(remote.port, id + 2);
  if (local !== undefined) {
    bytes.writeUInt16BE(local.port, id);
    addressToBytes(local.address).copy(bytes, id + 4);
  }
  addressToBytes(remote.address).copy(bytes, id + 20);
  // No cookie, no interface: both parts of the cookie are all ones.
  bytes.fill(0xff, id + 40, id + 48);
  return bytes;
}

/** One of each thread, kept: a socket and a buffer for every question cost more than the question. */
let link: { readonly fd: number; readonly buffer: Buffer; sequence: number } | undefined;

function openLink(): NonNullable<typeof link> {
  const fd = openSocket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_SOCK_DIAG);
  process.once('exit', closeLink);
  return { fd, buffer: Buffer.alloc(65536), sequence: 0 };
}

/** Node knows nothing of the socket: a worker thread that ends would leave it to the process. */
function closeLink(): void {
  if (link !== undefined) closeDescriptor(link.fd);
  link = undefined;
  process.off('exit', closeLink);
}

function query(message: Buffer): readonly Entry[] {
  link ??= openLink();
  const { fd, buffer } = link;
  link.sequence = (link.sequence + 1) >>> 0;
  message.writeUInt32LE(link.sequence, 8);
  try {
    sendBytes(fd, message);
    return readAnswers(fd, buffer, link.sequence);
  } catch (error) {
    // What is left of the answer must not be taken for that to the next question.
    closeLink();
    throw error;
  }
}

// The kernel produces answers while we send and while we read: when nothing is there, nothing will come.
function readAnswers(fd: number, buffer: Buffer, sequence: number): readonly Entry[] {
  const entries: Entry[] = [];
  for (;;) {
    const length = receiveOrNothing(fd, buffer);
    if (length === 0) return entries;
    const { done, found } = parseAnswers(buffer.subarray(0, length), sequence);
    entries.push(...found);
    if (done) return entries;
  }
}

function receiveOrNothing(fd: number, buffer: Buffer): number {
  try {
    return receiveBytes(fd, buffer);
  } catch (error) {
    if (error instanceof ErrnoError && error.errno === ERRNO.EAGAIN) return 0;
    throw error;
  }
}

function parseAnswers(
  bytes: Buffer,
  sequence: number,
): { readonly done: boolean; readonly found: readonly Entry[] } {
  const found: Entry[] = [];
  let done = false;
  for (let offset = 0; offset + HEADER <= bytes.length && !done;) {
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER) return { done: true, found };
    if (bytes.readUInt32LE(offset + 8) === sequence) {
      const type = bytes.readUInt16LE(offset + 4);
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return { done: true, found };
      const isMultipart = (bytes.readUInt16LE(offset + 6) & 2) !== 0;
      const entry = parseEntry(bytes.subarray(offset + HEADER, offset + length));
      if (entry !== undefined) found.push(entry);
      done = !isMultipart;
    }
    offset += (length + 3) & ~3;
  }
  return { done, found };
}

// struct inet_diag_msg. A socket without inode is held by nobody (closing, TIME_WAIT); the uid it shows is 0 and means nothing.
function parseEntry(message: Buffer): Entry | undefined {
  if (message.length < MESSAGE) return undefined;
  const size = message.readUInt8(0) === AF_INET6 ? 16 : 4;
  const local = endpointAt(message, 8, 4, size);
  const remote = endpointAt(message, 24, 6, size);
  const inode = message.readUInt32LE(68);
  if (local === undefined || remote === undefined || inode === 0) return undefined;
  return { local, remote, uid: message.readUInt32LE(64), inode };
}

function endpointAt(message: Buffer, at: number, portAt: number, size: number): Endpoint | undefined {
  const address = addressFromBytes(message.subarray(at, at + size));
  const port = parsePort(message.readUInt16BE(portAt));
  return address === undefined || port === undefined ? undefined : { address, port };
}
