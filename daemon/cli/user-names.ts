// Names for users, out of /etc/passwd or from Windows; a user of another source is shown by number, or by SID.
import { readFileSync } from 'node:fs';
import { accountName, accountSid } from '../sys/windows/accounts.js';
import { parseSid, type UserId } from '../../shared/user-id.js';

const isWindows = process.platform === 'win32';

/** The name of a user, or `uid 1234`, or the SID. */
export function userName(uid: UserId): string {
  if (typeof uid === 'string') return (isWindows ? accountName(uid) : undefined) ?? uid;
  const line = readPasswd().find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `uid ${uid}`;
}

/** The id of a name, a number or a SID; undefined if there is no such user. */
export function userId(nameOrId: string): UserId | undefined {
  if (isWindows) return parseSid(nameOrId) ?? accountSid(nameOrId);
  if (/^[0-9]{1,10}$/.test(nameOrId)) return Number(nameOrId);
  const line = readPasswd().find((entry) => entry.startsWith(`${nameOrId}:`));
  const uid = line?.split(':')[2];
  return uid === undefined ? undefined : Number(uid);
}

function readPasswd(): readonly string[] {
  try {
    return readFileSync('/etc/passwd', 'utf8').split('\n');
  } catch {
    return [];
  }
}
