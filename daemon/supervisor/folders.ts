// Makes the runtime and state folders for the proxy. Runs as root on paths that others may write to, so it follows no
// symbolic link of theirs and takes over no folder that is in use for something else.
import fs from 'node:fs';
import path from 'node:path';
import { Fault } from '../../shared/fault.js';
import type { ProxyIdentity } from './proxy-identity.js';

const words: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  EACCES: 'this user may not change it',
  EPERM: 'this user may not change it',
};

/**
 * Makes `folder` (and missing parents) with exactly `mode`, owned by the proxy. Throws a Fault of code `config` if it is
 * a link, belongs to somebody else, holds things that are not the proxy's, can't be changed, or if others could swap a parent.
 */
export function prepareFolder(folder: string, mode: number, identity: ProxyIdentity): void {
  try {
    prepare(folder, mode, identity);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = words[code] ?? Fault.from(error).userMessage;
    throw new Fault('config', `${folder} can’t be made ready for ftpseal: ${reason}.`, error);
  }
}

/** Whether the folder is on a file system that takes no change, by anybody. */
export function isReadOnly(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return false;
  } catch (error) {
    return hasCode(error, 'EROFS');
  }
}

function prepare(folder: string, mode: number, identity: ProxyIdentity): void {
  const parent = safeParent(folder);
  const target = path.join(parent, path.basename(path.resolve(folder)));
  makeIfMissing(target, mode);
  const fd = openOwn(target, folder);
  try {
    takeOver(fd, target, identity);
    // One that is right already may be on a file system that has become read-only.
    if ((fs.fstatSync(fd).mode & 0o7777) !== mode) fs.fchmodSync(fd, mode);
  } finally {
    fs.closeSync(fd);
  }
}

/** More links than that are a circle (the kernel's own limit). */
const MAX_LINKS = 40;

/**
 * The real path of the folder's parent, made where it is missing. Goes step by step, and nowhere that another user could
 * have led: a link in /tmp is its owner's to turn, also between a look at it and its use.
 */
function safeParent(folder: string): string {
  const wanted = path.dirname(path.resolve(folder));
  const left = wanted.split(path.sep).filter(isName);
  let here = path.parse(wanted).root;
  for (let links = 0; ;) {
    requireTrusted(here, wanted);
    const name = left.shift();
    if (name === undefined) return here;
    const next = path.join(here, name);
    makeIfMissing(next, 0o755);
    const found = fs.lstatSync(next);
    if (!found.isSymbolicLink()) {
      here = next;
      continue;
    }
    if (!trustedUids().has(found.uid)) throw unsafe(wanted, next);
    if (++links > MAX_LINKS) throw new Fault('config', `${wanted} leads in a circle of links.`);
    const goal = fs.readlinkSync(next);
    left.unshift(...goal.split(path.sep).filter(isName));
    if (path.isAbsolute(goal)) here = path.parse(goal).root;
  }
}

function isName(part: string): boolean {
  return part !== '';
}

function requireTrusted(folder: string, wanted: string): void {
  const { mode, uid } = fs.lstatSync(folder);
  const othersWrite = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
  if (othersWrite || !trustedUids().has(uid)) throw unsafe(wanted, folder);
}

function trustedUids(): ReadonlySet<number | undefined> {
  return new Set([0, process.geteuid?.()]);
}

function unsafe(wanted: string, changeable: string): Fault {
  return new Fault(
    'config',
    `${wanted} is no safe place for ftpseal’s files: other users can change ${changeable}.`,
  );
}

function makeIfMissing(target: string, mode: number): void {
  try {
    fs.mkdirSync(target, { mode });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

/** A descriptor of a folder that is no link; the caller closes it. */
export function openFolder(folder: string): number {
  return fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
}

function openOwn(target: string, folder: string): number {
  try {
    return openFolder(target);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR') || hasCode(error, 'ELOOP')) {
      throw new Fault(
        'config',
        `${folder} is a link or a file; ftpseal needs a folder of its own there.`,
        error,
      );
    }
    throw error;
  }
}

function takeOver(fd: number, target: string, identity: ProxyIdentity): void {
  const { uid, gid, mode } = fs.fstatSync(fd);
  // What somebody laid there while they could would count as the proxy's own from now on.
  if ((mode & 0o002) !== 0) throw unsafe(target, target);
  if (uid === identity.uid && gid === identity.gid) return;
  if (uid !== identity.uid && uid !== 0) {
    throw new Fault('config', `${target} belongs to uid ${uid}; ftpseal needs a folder of its own there.`);
  }
  if (uid === 0 && fs.readdirSync(target).length > 0) {
    throw new Fault('config', `${target} is in use for other things; ftpseal needs a folder of its own.`);
  }
  fs.fchownSync(fd, identity.uid, identity.gid);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
