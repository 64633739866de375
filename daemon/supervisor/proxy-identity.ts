// As whom the proxy runs, and the command line that makes it so: no capability, no way to get one.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Fault } from '../../shared/fault.js';
import { hasNetAdmin } from '../divert/linux/nft-runner.js';
import { SYSTEM_PATH } from '../sys/system-path.js';
import { findUser } from './user-database.js';

/** The system user that the package makes, and the uid where there is no such user. */
const PROXY_USER = 'ftpseal';
const PROXY_UID = 21021;

export interface ProxyIdentity {
  readonly uid: number;
  readonly gid: number;
  /** False where the supervisor itself is no root, only a user with CAP_NET_ADMIN: the proxy is then the same user. */
  readonly switches: boolean;
}

/**
 * The identity for `user` (name or uid), by default the user `ftpseal`, else 21021. Rejects with a Fault of code
 * `not-permitted` if this process may not redirect connections, `config` if the user is not there or is root.
 */
export async function proxyIdentity(user: string | number | undefined): Promise<ProxyIdentity> {
  if (!hasNetAdmin()) {
    throw new Fault(
      'not-permitted',
      'Redirecting connections is not permitted: run ftpseal as root, or with the capability CAP_NET_ADMIN.',
    );
  }
  const own = process.geteuid?.() ?? 0;
  if (own !== 0) return { uid: own, gid: process.getegid?.() ?? own, switches: false };
  const found = await findUser(user ?? PROXY_USER);
  const identity = found ?? unlisted(user);
  if (identity.uid === 0) throw new Fault('config', 'The proxy must not run as root: choose another user.');
  return { uid: identity.uid, gid: identity.gid, switches: true };
}

function unlisted(user: string | number | undefined): { readonly uid: number; readonly gid: number } {
  if (typeof user === 'string') throw new Fault('config', `There is no user ${user} to run the proxy as.`);
  const uid = user ?? PROXY_UID;
  return { uid, gid: uid };
}

/** The arguments of setpriv(1) that come before the program: it gets SIGTERM when this process ends. */
export function dropArguments(identity: ProxyIdentity): readonly string[] {
  const switching = [
    `--reuid=${identity.uid}`,
    `--regid=${identity.gid}`,
    '--clear-groups',
    '--bounding-set=-all',
  ];
  return [
    ...(identity.switches ? switching : []),
    '--inh-caps=-all',
    '--ambient-caps=-all',
    '--no-new-privs',
    '--pdeathsig=TERM',
    '--',
  ];
}

/** `read` a file, `search` a folder or execute a program, `write` into a folder. */
export type Access = 'read' | 'search' | 'write';

export interface Need {
  /** An absolute path. */
  readonly file: string;
  readonly access: Access;
}

/** Rejects with a Fault of code `config` that names what stands in the way, if the proxy's user may not do all of that. */
export async function requireAccess(identity: ProxyIdentity, needs: readonly Need[]): Promise<void> {
  // A process for all of them takes as long as for one. Which of them it is has to be asked only where something is wrong.
  if (await mayAccess(identity, needs)) return;
  for (const need of needs) if (!(await mayAccess(identity, [need]))) throw await accessFault(identity, need);
}

async function accessFault(identity: ProxyIdentity, { file, access }: Need): Promise<Fault> {
  const blocker = await firstBlocked(identity, file);
  return new Fault(
    'config',
    `The proxy runs as uid ${identity.uid}, which may not ${access} ${file}` +
      (blocker === undefined ? '.' : `: the folder ${blocker} is closed to it.`) +
      ' Install ftpseal where every user may read it, or change the permissions.',
  );
}

async function firstBlocked(identity: ProxyIdentity, file: string): Promise<string | undefined> {
  const parents: string[] = [];
  for (let folder = path.dirname(file); folder !== path.dirname(folder); folder = path.dirname(folder)) {
    parents.unshift(folder);
  }
  for (const folder of parents) {
    if (!(await mayAccess(identity, [{ file: folder, access: 'search' }]))) return folder;
  }
  return undefined;
}

const testFlag: Readonly<Record<Access, string>> = { read: '-r', search: '-x', write: '-w' };

// Asked of the kernel in the proxy's place, so that groups, ACLs and mount options count.
function mayAccess(identity: ProxyIdentity, needs: readonly Need[]): Promise<boolean> {
  const test = needs.flatMap(({ file, access }, index) => [
    ...(index === 0 ? [] : ['-a']),
    testFlag[access],
    file,
  ]);
  const argv = [...dropArguments(identity), '/usr/bin/test', ...test];
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', argv, { cwd: '/', env: { PATH: SYSTEM_PATH }, stdio: 'ignore' });
    child.once('error', (error) => {
      reject(setprivMissing(error));
    });
    child.once('close', (code) => {
      resolve(code === 0);
    });
  });
}

/** The sentence for a machine without setpriv. */
export function setprivMissing(cause: Error): Fault {
  return new Fault(
    'missing-tool',
    'The program setpriv is not installed, so the proxy can’t be run without privileges: install the package util-linux.',
    cause,
  );
}
