// Who may use a file or a folder on Windows, in the text form of security descriptors (SDDL). Windows only.
import { Fault } from '../../../shared/fault.js';
import { parseSid, type Sid } from '../../../shared/user-id.js';
import { callWindows } from './calls.js';

const OWNER = 1;
const DACL = 4;
/** What the folder above would hand down does not count. */
const PROTECTED_DACL = 0x8000_0000;
const REVISION = 1;
const MAX_DESCRIPTOR = 65_536;
const MAX_TEXT_UNITS = 4096;

/** May do everything. */
const everything = 'FA';
/** May read, and enter folders. */
const reading = '0x1200a9';

/** `SY` the system, `BA` administrators, `BU` whoever is logged on (letters of SDDL), or a SID. */
export type Trustee = 'SY' | 'BA' | 'BU' | Sid;

export interface FileRights {
  readonly full: readonly Trustee[];
  readonly read?: readonly Trustee[];
  /** Whether what is made inside gets the same. */
  readonly inherit: 'inherit' | 'this alone';
}

/** Replaces whatever rights there were. Throws a Fault of code `store` that names the file. */
export function setFileRights(file: string, rights: FileRights): void {
  const descriptor = Buffer.alloc(8);
  const convert = 'ConvertStringSecurityDescriptorToSecurityDescriptorW';
  if (callWindows(convert, formatRights(rights), REVISION, descriptor, null) === 0)
    throw new Fault('internal', `No security descriptor: ${formatRights(rights)}`);
  const pointer = descriptor.readBigInt64LE();
  try {
    if (callWindows('SetFileSecurityW', file, (DACL | PROTECTED_DACL) >>> 0, pointer) === 0)
      throw new Fault('store', `The rights of ${file} can’t be set: this user may not change them.`);
  } finally {
    callWindows('LocalFree', pointer);
  }
}

export function formatRights({ full, read = [], inherit }: FileRights): string {
  const flags = inherit === 'inherit' ? 'OICI' : '';
  const entry = (rights: string) => (who: Trustee) => `(A;${flags};${rights};;;${who})`;
  return ['D:P', ...full.map(entry(everything)), ...read.map(entry(reading))].join('');
}

/** Owner and rights of a file in SDDL, for tests and for `doctor`; `undefined` if they can't be read. */
export function fileSecurity(file: string): string | undefined {
  const descriptor = Buffer.alloc(MAX_DESCRIPTOR);
  const needed = Buffer.alloc(4);
  if (callWindows('GetFileSecurityW', file, OWNER | DACL, descriptor, descriptor.length, needed) === 0)
    return undefined;
  const text = Buffer.alloc(8);
  const convert = 'ConvertSecurityDescriptorToStringSecurityDescriptorW';
  if (callWindows(convert, descriptor, REVISION, OWNER | DACL, text, null) === 0) return undefined;
  const pointer = text.readBigInt64LE();
  try {
    return textAt(pointer);
  } finally {
    callWindows('LocalFree', pointer);
  }
}

/** Who owns a file: a SID, or the two letters that SDDL has for it. */
export function fileOwner(file: string): Sid | string | undefined {
  const owner = /^O:(S-1[0-9-]*|[A-Z]{2})/.exec(fileSecurity(file) ?? '')?.[1];
  return owner === undefined ? undefined : (parseSid(owner) ?? owner);
}

function textAt(pointer: bigint): string {
  const copy = Buffer.alloc(2 * MAX_TEXT_UNITS);
  callWindows('lstrcpynW', copy, pointer, MAX_TEXT_UNITS);
  const units = copy.toString('utf16le');
  return units.slice(0, units.indexOf('\0'));
}
