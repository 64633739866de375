// "Start at login" on Windows: the registry's Run keys, the machine's (made by the installer) and the person's own, and the list in
// which Windows keeps what the person has switched off (as Task Manager does).
import { callWindows } from '../daemon/sys/windows/calls.js';
import { Fault } from '../shared/fault.js';

// (HKEY)(LONG)0x80000001 and …2, as Windows extends them to 64 bits.
const CURRENT_USER = -2147483647;
const LOCAL_MACHINE = -2147483646;
const RUN = 'Software\\Microsoft\\Windows\\CurrentVersion\\Run';
const APPROVED = 'Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\StartupApproved\\Run';
const VALUE = 'ftpseal';
const ANY_TYPE = 0xffff;
const REG_SZ = 1;
const REG_BINARY = 3;
/** Its first byte is odd for what is switched off; a time follows. */
const SWITCHED_OFF = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

export function startsAtLoginOnWindows(): boolean {
  if (read(LOCAL_MACHINE, RUN) === undefined && read(CURRENT_USER, RUN) === undefined) return false;
  const approved = read(CURRENT_USER, APPROVED);
  return approved === undefined || ((approved[0] ?? 0) & 1) === 0;
}

/** Throws a Fault of code `store` if the registry does not take it. */
export function setStartsAtLoginOnWindows(command: readonly string[], wanted: boolean): void {
  const isForAll = read(LOCAL_MACHINE, RUN) !== undefined;
  if (wanted) {
    if (!isForAll) write(RUN, REG_SZ, Buffer.from(`${command.map(quoted).join(' ')}\0`, 'utf16le'));
    remove(APPROVED);
  } else {
    remove(RUN);
    if (isForAll) write(APPROVED, REG_BINARY, SWITCHED_OFF);
  }
}

function read(root: number, key: string): Buffer | undefined {
  const data = Buffer.alloc(4096);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  const failed = callWindows('RegGetValueW', root, key, VALUE, ANY_TYPE, null, data, size) !== 0;
  return failed ? undefined : data.subarray(0, size.readUInt32LE());
}

function write(key: string, type: number, data: Buffer): void {
  if (callWindows('RegSetKeyValueW', CURRENT_USER, key, VALUE, type, data, data.length) === 0) return;
  throw new Fault('store', 'Windows does not take the change to what starts at login.');
}

/** A value that is not there is fine. */
function remove(key: string): void {
  callWindows('RegDeleteKeyValueW', CURRENT_USER, key, VALUE);
}

/** For CommandLineToArgvW; a path holds no quotation mark and ours end in no backslash. */
function quoted(argument: string): string {
  return `"${argument.replaceAll('"', '')}"`;
}
