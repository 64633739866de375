// Accounts of Windows by SID and by name. Windows only; a name of a domain may take as long as its server takes.
import { callWindows } from './calls.js';
import { MAX_SID_BYTES, sidFromBytes, sidToBytes } from './sid.js';
import type { Sid } from '../../../shared/user-id.js';

/** Longer than any name of an account or a domain, in UTF-16 units. */
const MAX_NAME_UNITS = 512;

/** The account's name without its domain; `undefined` if nobody knows the SID. */
export function accountName(sid: Sid): string | undefined {
  const [name, nameSize] = room();
  const [domain, domainSize] = room();
  const use = Buffer.alloc(4);
  const args = [null, sidToBytes(sid), name, nameSize, domain, domainSize, use];
  if (callWindows('LookupAccountSidW', ...args) === 0) return undefined;
  return name.toString('utf16le', 0, 2 * nameSize.readUInt32LE());
}

/** The SID of `name`, `DOMAIN\name` or `name@domain`; `undefined` if there is no such account. */
export function accountSid(name: string): Sid | undefined {
  const sid = Buffer.alloc(MAX_SID_BYTES);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(sid.length);
  const [domain, domainSize] = room();
  const use = Buffer.alloc(4);
  const args = [null, name, sid, size, domain, domainSize, use];
  return callWindows('LookupAccountNameW', ...args) === 0 ? undefined : sidFromBytes(sid);
}

function room(): readonly [Buffer, Buffer] {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(MAX_NAME_UNITS);
  return [Buffer.alloc(2 * MAX_NAME_UNITS), size];
}
