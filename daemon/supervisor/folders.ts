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

function prepare(folder: string, mode: number, identity: ProxyIdentity): void {
  const parent = realParent(folder);
  requireTrustedParents(parent);
  const target = path.join(parent, path.basename(folder));
  makeIfMissing(target, mode);
  const fd = openFolder(target, folder);
  try {
    takeOver(fd, target, identity);
    fs.fchmodSync(fd, mode);
  } finally {
    fs.closeSync(fd);
  }
}

function realParent(folder: string): string {
  const parent = path.dirname(path.resolve(folder));
  fs.mkdirSync(parent, { recursive: true, mode: 0o755 });
  return fs.realpathSync(parent);
}

function requireTrustedParents(parent: string): void {
  const trusted = new Set([0, process.geteuid?.()]);
  for (let folder = parent; ; folder = path.dirname(folder)) {
    const { mode, uid } = fs.statSync(folder);
    const othersWrite = (mode & 0o022) !== 0 && (mode & 0o1000) === 0;
    if (othersWrite || !trusted.has(uid)) {
      throw new Fault(
        'config',
        `${parent} is no safe place for ftpseal’s files: other users can change ${folder}.`,
      );
    }
    if (folder === path.dirname(folder)) return;
  }
}

function makeIfMissing(target: string, mode: number): void {
  try {
    fs.mkdirSync(target, { mode });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

function openFolder(target: string, folder: string): number {
  try {
    return fs.openSync(target, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
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
  const { uid, gid } = fs.fstatSync(fd);
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
