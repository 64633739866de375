// Windows' tables of TCP connections with the process of each (MIB_TCPTABLE_OWNER_PID, MIB_TCP6TABLE_OWNER_PID). Pure.
import { addressToBytes } from '../sockaddr.js';
import { familyOf, type Endpoint } from '../../../shared/endpoint.js';

interface Layout {
  readonly size: number;
  readonly local: number;
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
  readonly pid: number;
}

const layouts: Readonly<Record<4 | 6, Layout>> = {
  4: { size: 24, local: 4, localPort: 8, remote: 12, remotePort: 16, pid: 20 },
  6: { size: 56, local: 0, localPort: 20, remote: 24, remotePort: 44, pid: 52 },
};

/** After the number of rows; the rows of both tables need no more than four bytes of alignment. */
const FIRST_ROW = 4;

/**
 * The process that holds the connection from `local` to `remote` in a table of `family`; an IPv4 connection may also stand in
 * the IPv6 table, in mapped addresses. `undefined` if no row fits or if nobody holds it any more (process 0).
 */
export function findPid(table: Buffer, family: 4 | 6, local: Endpoint, remote: Endpoint): number | undefined {
  const layout = layouts[family];
  const [from, to] = [bytesIn(local, family), bytesIn(remote, family)];
  if (from === undefined || to === undefined || table.length < FIRST_ROW) return undefined;
  const rows = Math.min(table.readUInt32LE(0), Math.floor((table.length - FIRST_ROW) / layout.size));
  for (let row = 0; row < rows; row += 1) {
    const at = FIRST_ROW + row * layout.size;
    if (table.readUInt16BE(at + layout.localPort) !== local.port) continue;
    if (table.readUInt16BE(at + layout.remotePort) !== remote.port) continue;
    if (!isAt(table, at + layout.local, from) || !isAt(table, at + layout.remote, to)) continue;
    const pid = table.readUInt32LE(at + layout.pid);
    if (pid !== 0) return pid;
  }
  return undefined;
}

function bytesIn({ address }: Endpoint, family: 4 | 6): Buffer | undefined {
  const bytes = addressToBytes(address);
  if (familyOf(address) === family) return bytes;
  return family === 6 ? Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), bytes]) : undefined;
}

function isAt(table: Buffer, at: number, bytes: Buffer): boolean {
  return table.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;
}
