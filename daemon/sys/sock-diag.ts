// Asks the kernel about TCP sockets of this network namespace through NETLINK_SOCK_DIAG: works without any
// privilege and takes microseconds, where /proc/net/tcp takes milliseconds. Synchronous.
import { parsePort } from '../../shared/endpoint.js';
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
  const asked = request(local, remote, NLM_F_REQUEST);
  return query(asked, (answer) => {
    const isIt = repeats(answer, asked) || (same(localOf(answer), local) && same(remoteOf(answer), remote));
    return isIt ? ownerIn(answer) : undefined;
  })[0];
}

/** Every socket connected (or connecting) to `remote`. Costs a walk over the kernel's table: a fall-back. */
export function findSocketsTo(remote: Endpoint): readonly OwnedSocket[] {
  const families = remote.address.includes(':') ? [AF_INET6] : [AF_INET, AF_INET6];
  return families.flatMap((family) =>
    query(request(undefined, remote, NLM_F_REQUEST | NLM_F_DUMP, family), (answer) =>
      same(remoteOf(answer), remote) ? ownerIn(answer) : undefined,
    ),
  );
}

function same(a: Endpoint | undefined, b: Endpoint): boolean {
  return a?.port === b.port && a.address === b.address;
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

/** What an answer (struct inet_diag_msg) is to the question; undefined: nothing. */
type Reader = (answer: Buffer) => OwnedSocket | undefined;

function query(message: Buffer, read: Reader): readonly OwnedSocket[] {
  link ??= openLink();
  const { fd, buffer } = link;
  link.sequence = (link.sequence + 1) >>> 0;
  message.writeUInt32LE(link.sequence, 8);
  try {
    sendBytes(fd, message);
    return readAnswers(fd, buffer, link.sequence, read);
  } catch (error) {
    // What is left of the answer must not be taken for that to the next question.
    closeLink();
    throw error;
  }
}

// The kernel produces answers while we send and while we read: when nothing is there, nothing will come.
function readAnswers(fd: number, buffer: Buffer, sequence: number, read: Reader): readonly OwnedSocket[] {
  const found: OwnedSocket[] = [];
  for (;;) {
    const length = receiveOrNothing(fd, buffer);
    if (length === 0 || readMessages(buffer.subarray(0, length), sequence, read, found)) return found;
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

/** Adds what it finds; true when that was the last of it. */
function readMessages(bytes: Buffer, sequence: number, read: Reader, found: OwnedSocket[]): boolean {
  for (let offset = 0; offset + HEADER <= bytes.length;) {
    const length = bytes.readUInt32LE(offset);
    if (length < HEADER) return true;
    if (bytes.readUInt32LE(offset + 8) === sequence) {
      const type = bytes.readUInt16LE(offset + 4);
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return true;
      const answer = bytes.subarray(offset + HEADER, offset + length);
      const socket = answer.length < MESSAGE ? undefined : read(answer);
      if (socket !== undefined) found.push(socket);
      const isMultipart = (bytes.readUInt16LE(offset + 6) & 2) !== 0;
      if (!isMultipart) return true;
    }
    offset += (length + 3) & ~3;
  }
  return false;
}

/** The answer names the very bytes that were asked for. A program's IPv6 socket can hold an IPv4 connection, and shows it otherwise. */
function repeats(answer: Buffer, asked: Buffer): boolean {
  const [id, size] = [HEADER + 8, 36];
  return answer[0] === asked[HEADER] && asked.compare(answer, 4, 4 + size, id, id + size) === 0;
}

// A socket without inode is held by nobody (closing, TIME_WAIT); the uid it shows is 0 and means nothing.
function ownerIn(answer: Buffer): OwnedSocket | undefined {
  const inode = answer.readUInt32LE(68);
  return inode === 0 ? undefined : { uid: answer.readUInt32LE(64), inode };
}

function localOf(answer: Buffer): Endpoint | undefined {
  return endpointAt(answer, 8, 4);
}

function remoteOf(answer: Buffer): Endpoint | undefined {
  return endpointAt(answer, 24, 6);
}

function endpointAt(answer: Buffer, at: number, portAt: number): Endpoint | undefined {
  const size = answer.readUInt8(0) === AF_INET6 ? 16 : 4;
  const address = addressFromBytes(answer.subarray(at, at + size));
  const port = parsePort(answer.readUInt16BE(portAt));
  return address === undefined || port === undefined ? undefined : { address, port };
}
