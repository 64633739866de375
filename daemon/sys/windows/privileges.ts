// What a process of Windows gives up about itself, for good. Windows only.
import { Fault } from '../../../shared/fault.js';
import { callWindows } from './calls.js';

const TOKEN_ADJUST_AND_QUERY = 0x0020 | 0x0008;
const TOKEN_PRIVILEGES = 3;
const SE_PRIVILEGE_REMOVED = 4;
/** Every process has it; without it every folder on the way to a file counts. */
const SE_CHANGE_NOTIFY = 23;
const MAX_BYTES = 4096;
const ENTRY = 12;
const CURRENT_PROCESS = -1;

/** Removes every privilege but the one that everybody has. Returns how many are left. Throws a Fault if Windows refuses. */
export function dropPrivileges(): number {
  const handle = Buffer.alloc(8);
  if (callWindows('OpenProcessToken', CURRENT_PROCESS, TOKEN_ADJUST_AND_QUERY, handle) === 0) throw refused();
  const token = Number(handle.readBigInt64LE());
  try {
    const unwanted = privilegesOf(token).filter((low) => low !== SE_CHANGE_NOTIFY);
    const change = Buffer.alloc(4 + ENTRY * unwanted.length);
    change.writeUInt32LE(unwanted.length);
    unwanted.forEach((low, index) => {
      change.writeUInt32LE(low, 4 + ENTRY * index);
      change.writeUInt32LE(SE_PRIVILEGE_REMOVED, 4 + ENTRY * index + 8);
    });
    if (callWindows('AdjustTokenPrivileges', token, 0, change, 0, null, null) === 0) throw refused();
    return privilegesOf(token).length;
  } finally {
    callWindows('CloseHandle', token);
  }
}

/** The low halves of the privileges' numbers; the high halves are 0 for all that Windows has. */
function privilegesOf(token: number): readonly number[] {
  const information = Buffer.alloc(MAX_BYTES);
  const needed = Buffer.alloc(4);
  if (callWindows('GetTokenInformation', token, TOKEN_PRIVILEGES, information, MAX_BYTES, needed) === 0)
    throw refused();
  const count = Math.min(information.readUInt32LE(), Math.floor((MAX_BYTES - 4) / ENTRY));
  return Array.from({ length: count }, (_, index) => information.readUInt32LE(4 + ENTRY * index));
}

function refused(): Fault {
  return new Fault('not-permitted', 'The proxy process could not give up its privileges.');
}
