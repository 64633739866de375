// The one account of the lab's servers. It exists only in a mount namespace with account files of its own, so
// nothing of the machine's /etc is ever changed.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { must } from './command.js';

export const login = { user: 'labuser', password: 'Correct-Horse-4711' } as const;

/** The uid of the account at the servers, and of the people who run clients. Neither is in any /etc/passwd. */
export const serverUid = 30100;
export const clientUid = 30001;

/** The files that a server finds instead of the machine's. */
export interface Account {
  readonly folder: string;
  /** What `openssl passwd -6` made of the password, for servers with a user file of their own. */
  readonly hash: string;
}

const services = ['vsftpd', 'pure-ftpd', 'proftpd'];

/** Writes passwd, group, shadow and PAM services for the account into `folder`; its home is `home`. */
export async function makeAccount(folder: string, home: string): Promise<Account> {
  const hash = (await must({}, ['openssl', 'passwd', '-6', '-stdin'], `${login.password}\n`)).trim();
  mkdirSync(folder, { recursive: true });
  const passwd = `${login.user}:x:${serverUid}:${serverUid}::${home}:/bin/sh\n`;
  writeFileSync(path.join(folder, 'passwd'), readFileSync('/etc/passwd', 'utf8') + passwd);
  writeFileSync(
    path.join(folder, 'group'),
    readFileSync('/etc/group', 'utf8') + `${login.user}:x:${serverUid}:\n`,
  );
  writeFileSync(path.join(folder, 'shadow'), `${login.user}:${hash}:19000:0:99999:7:::\n`, { mode: 0o600 });
  cpSync('/etc/pam.d', path.join(folder, 'pam.d'), { recursive: true });
  const rules = 'auth required pam_unix.so\naccount required pam_unix.so\nsession required pam_permit.so\n';
  for (const service of services) writeFileSync(path.join(folder, 'pam.d', service), rules);
  return { folder, hash };
}

/** The argument list that runs `argv` with the account's files in place of the machine's. */
export function withAccount(account: Account, argv: readonly string[]): readonly string[] {
  const mounts = ['passwd', 'group', 'shadow', 'pam.d']
    .map((name) => `mount --bind "$0/${name}" /etc/${name}`)
    .join(' && ');
  return [
    ...['unshare', '--mount', '--propagation', 'private', '--', 'sh', '-c'],
    // Pure-FTPd takes a standard input that is a socket for a client that inetd accepted.
    `${mounts} && exec "$@" </dev/null`,
    account.folder,
    ...argv,
  ];
}
