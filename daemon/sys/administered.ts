// Files and folders that count only if nobody but the administrator can have put them there. Nothing here follows a link that
// somebody else could turn.
import { constants } from 'node:fs';
import { lstat, open, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '../../shared/fault.js';
import { isSuperuser, type UserId } from '../../shared/user-id.js';
import { visibleLine } from './visible.js';

/** Who counts as the administrator besides the machine itself: a person whose own proxy it is. */
export type Administrators = readonly UserId[];

const isWindows = process.platform === 'win32';
const othersWrite = 0o022;
const sticky = 0o1000;

interface Rights {
  readonly mode: number;
  readonly uid: number;
}

/** Whether the folder is there. Rejects with a Fault of code `config`, a sentence, if others could change what is in it. */
export async function isAdministeredFolder(folder: string, also: Administrators): Promise<boolean> {
  const found = await lstat(folder).catch(unlessMissing);
  if (found === undefined) return false;
  if (!found.isDirectory()) throw refusal(folder, 'is a link or a file, and not a folder');
  await requireRights(folder, found, also);
  if (!isWindows) await requireParents(folder, also);
  return true;
}

/** The file's bytes. Rejects with a Fault of code `config`, a sentence without the folder's name. */
export async function readAdministered(
  path: string,
  also: Administrators,
  maxBytes: number,
): Promise<Buffer> {
  const name = path.slice(dirname(path).length + 1);
  // A pipe must not make its reader wait for a writer.
  const flags = constants.O_RDONLY | (isWindows ? 0 : constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const file = await open(path, flags).catch((error: unknown) => {
    throw openFault(name, error);
  });
  try {
    const found = await file.stat();
    if (!found.isFile() || (isWindows && (await lstat(path)).isSymbolicLink()))
      throw refusal(name, 'is a link or no file at all');
    await requireRights(path, found, also, name);
    if (found.size > maxBytes) throw refusal(name, `is larger than ${maxBytes} bytes`);
    const bytes = await file.readFile();
    if (bytes.length > maxBytes) throw refusal(name, `is larger than ${maxBytes} bytes`);
    return bytes;
  } finally {
    await file.close();
  }
}

function openFault(name: string, error: unknown): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ELOOP') return refusal(name, 'is a link, and links are not followed');
  if (code === 'EACCES' || code === 'EPERM')
    return refusal(
      name,
      'can’t be read by the user that ftpseal runs as; give everybody the right to read it',
    );
  return refusal(name, `can’t be read (${code})`);
}

async function requireRights(
  path: string,
  { mode, uid }: Rights,
  also: Administrators,
  name: string = path,
): Promise<void> {
  if (isWindows) {
    const { changeableBy } = await import('./windows/file-changers.js');
    const who = changeableBy(path, also);
    if (who !== undefined)
      throw refusal(name, `belongs to or can be changed by ${who}, who is no administrator`);
    return;
  }
  if (!isSuperuser(uid) && !also.includes(uid)) throw refusal(name, `belongs to uid ${uid} and not to root`);
  if ((mode & othersWrite) !== 0) throw refusal(name, 'can be changed by others than its owner; chmod go-w');
}

async function requireParents(folder: string, also: Administrators): Promise<void> {
  let here = await realpath(dirname(folder));
  for (;;) {
    const { mode, uid } = await stat(here);
    const trusted = isSuperuser(uid) || also.includes(uid);
    if (!trusted || ((mode & othersWrite) !== 0 && (mode & sticky) === 0))
      throw refusal(
        folder,
        `lies below ${visibleLine(here)}, which others than the administrator can change`,
      );
    const above = dirname(here);
    if (above === here) return;
    here = above;
  }
}

function refusal(what: string, why: string): Fault {
  return new Fault('config', `${visibleLine(what)} ${why}`);
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
