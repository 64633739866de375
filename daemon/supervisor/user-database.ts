// Users by name, from whatever the machine keeps them in (files, LDAP, systemd), through getent.
import { execFile } from 'node:child_process';
import { SYSTEM_PATH } from '../sys/system-path.js';

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** The user of that name or uid; `undefined` if there is none. */
export function findUser(nameOrUid: string | number): Promise<User | undefined> {
  return new Promise((resolve) => {
    const environment = { PATH: SYSTEM_PATH, LC_ALL: 'C' };
    execFile('getent', ['passwd', '--', String(nameOrUid)], { env: environment }, (error, stdout) => {
      resolve(error === null ? parseEntry(stdout) : undefined);
    });
  });
}

function parseEntry(line: string): User | undefined {
  const [, , uid, gid] = line.trim().split(':');
  return isId(uid) && isId(gid) ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9]{1,10}$/.test(text);
}
