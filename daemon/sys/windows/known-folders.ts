// Folders that Windows knows. The environment says the same, but is whatever the one who started us made of it.
import { callWindows } from './calls.js';

const COMMON_APPDATA = 0x23;
const LOCAL_APPDATA = 0x1c;
const MAX_PATH_UNITS = 260;

let common: string | undefined;

/** For what programs keep for the whole machine, such as C:\ProgramData. */
export function commonData(): string {
  common ??= folderOf(COMMON_APPDATA) ?? 'C:\\ProgramData';
  return common;
}

/** For what programs keep for this user and this machine; undefined for an account without a profile. */
export function localData(): string | undefined {
  return folderOf(LOCAL_APPDATA);
}

function folderOf(folder: number): string | undefined {
  const path = Buffer.alloc(2 * MAX_PATH_UNITS);
  if (callWindows('SHGetFolderPathW', null, folder, null, 0, path) !== 0) return undefined;
  const text = path.toString('utf16le');
  return text.slice(0, text.indexOf('\0'));
}
