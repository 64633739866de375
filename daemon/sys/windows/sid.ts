// A SID as Windows holds it in memory: revision, number of parts, six bytes of authority, parts of four bytes. Pure.
import { parseSid, type Sid } from '../../../shared/user-id.js';

/** The most bytes that a SID takes (winnt.h, SECURITY_MAX_SID_SIZE). */
export const MAX_SID_BYTES = 68;

/** The SID at the start of `bytes`; `undefined` if there is none. What follows it is ignored. */
export function sidFromBytes(bytes: Buffer): Sid | undefined {
  const parts = bytes[1] ?? 0;
  if (bytes[0] !== 1 || bytes.length < 8 + 4 * parts) return undefined;
  const numbers = Array.from({ length: parts }, (_, index) => bytes.readUInt32LE(8 + 4 * index));
  return parseSid(['S-1', bytes.readUIntBE(2, 6), ...numbers].join('-'));
}

/** The reverse of `sidFromBytes`. Throws a RangeError for a part of more than 32 bits. */
export function sidToBytes(sid: Sid): Buffer {
  const [authority = 0, ...parts] = sid.split('-').slice(2).map(Number);
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(authority, 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(part, 8 + 4 * index));
  return bytes;
}
