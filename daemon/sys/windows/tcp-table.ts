// Which process holds a TCP connection of this machine, as Windows' own tables say. Windows only.
import { familyOf, type Endpoint } from '../../../shared/endpoint.js';
import { callWindows } from './calls.js';
import { findPid } from './tcp-rows.js';

const AF_INET = 2;
const AF_INET6 = 23;
const TCP_TABLE_OWNER_PID_ALL = 5;
const ERROR_INSUFFICIENT_BUFFER = 122;
/** The table grows while we ask: a few tries, each with room to spare. */
const ATTEMPTS = 5;
const SPARE = 8192;

/** Kept between calls: a table is tens of kilobytes, and it is read at every new connection. */
let buffer = Buffer.alloc(64 * 1024);

/** `local` is the holder's own end. `undefined` if nobody holds it or if the table can't be read. Synchronous. */
export function connectionPid(local: Endpoint, remote: Endpoint): number | undefined {
  const found = familyOf(local.address) === 4 ? findPid(readTable(AF_INET), 4, local, remote) : undefined;
  return found ?? findPid(readTable(AF_INET6), 6, local, remote);
}

function readTable(family: number): Buffer {
  const size = Buffer.alloc(4);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    size.writeUInt32LE(buffer.length);
    const error = callWindows('GetExtendedTcpTable', buffer, size, 0, family, TCP_TABLE_OWNER_PID_ALL, 0);
    if (error === 0) return buffer;
    if (error !== ERROR_INSUFFICIENT_BUFFER) break;
    buffer = Buffer.alloc(size.readUInt32LE() + SPARE);
  }
  return Buffer.alloc(0);
}
