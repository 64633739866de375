// One file a user in <runtime-dir>\callers, named by SID: the daemon makes it, and beside it (and administrators) that user alone
// may read it. It proves that a connection which a process of the user holds was also meant by the user: a service that opens
// connections for others does not read files for them.
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Fault } from '../../../shared/fault.js';
import type { Sid } from '../../../shared/user-id.js';
import { ownUser } from '../../sys/own-user.js';
import { setFileRights, type Trustee } from '../../sys/windows/file-security.js';
import { makeSecret, parseSecret } from './proof.js';

/** `socketFile`: where callers find the daemon; the secrets lie beside it. */
export function callersFolder(socketFile: string): string {
  return join(dirname(socketFile), 'callers');
}

/** Makes the folder, which nobody may list or write to but the daemon, and the machine's administrators. */
export async function makeCallersFolder(socketFile: string): Promise<void> {
  const folder = callersFolder(socketFile);
  await mkdir(folder, { recursive: true });
  setFileRights(folder, { full: keepers(), inherit: 'inherit' });
}

/** The daemon's side: the user's secret, made at the first call. Rejects with a Fault or the system's error. */
export async function secretFor(socketFile: string, user: Sid): Promise<string> {
  const file = join(callersFolder(socketFile), user);
  const known = await readSecret(file);
  if (known !== undefined) return known;
  const secret = makeSecret();
  const fresh = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    // Until it has its rights it has the folder's.
    await writeFile(fresh, secret, { flag: 'wx' });
    setFileRights(fresh, { full: keepers(), read: [user], inherit: 'this alone' });
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  // Two first calls at once: the later rename counts, for both.
  return (await readSecret(file)) ?? secret;
}

/** The caller's side. Rejects with a Fault of code `no-daemon` if there is no secret for this user. */
export async function ownSecret(socketFile: string): Promise<string> {
  const own = ownUser();
  const secret =
    own === undefined ? undefined : await readSecret(join(callersFolder(socketFile), String(own)));
  if (secret !== undefined) return secret;
  throw new Fault('no-daemon', 'The ftpseal daemon has left no secret for this user.');
}

async function readSecret(file: string): Promise<string | undefined> {
  try {
    return parseSecret(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The daemon's own account is among them: it is not always the system. */
function keepers(): readonly Trustee[] {
  const own = ownUser();
  return typeof own === 'string' ? ['SY', 'BA', own] : ['SY', 'BA'];
}
