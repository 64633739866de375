// Names for uids, out of /etc/passwd; a user of another source is shown by number.
import { readFileSync } from 'node:fs';

/** The name of a uid, or `uid 1234`. */
export function userName(uid: number): string {
  const line = readPasswd().find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? `uid ${uid}`;
}

/** The uid of a name or number; undefined if there is no such user. */
export function userId(nameOrUid: string): number | undefined {
  if (/^[0-9]{1,10}$/.test(nameOrUid)) return Number(nameOrUid);
  const line = readPasswd().find((entry) => entry.startsWith(`${nameOrUid}:`));
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
