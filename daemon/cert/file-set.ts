// Writes the files of one key together: all or none, and never over somebody's key without having been told to.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Fault } from '../../shared/fault.js';
import { writeFileAtomic, writeNewFileAtomic } from '../sys/atomic-file.js';

export interface NewFile {
  readonly path: string;
  readonly content: string;
  /** `secret`: for its owner only (0600); `public`: for everybody to read (0644). */
  readonly access: 'secret' | 'public';
}

/**
 * Writes all files, each whole. Without `overwrite` a file that is there already ends it before anything was written,
 * with a Fault of code `usage` that names it. If one can't be written, those written before it are removed again, unless they replaced others.
 */
export async function writeFiles(
  files: readonly NewFile[],
  { overwrite }: { readonly overwrite: boolean },
): Promise<void> {
  const taken = overwrite ? undefined : files.find(({ path }) => existsSync(path));
  if (taken !== undefined) throw isThere(taken.path);
  const written: string[] = [];
  try {
    for (const { path, content, access } of files) {
      const mode = access === 'secret' ? 0o600 : 0o644;
      await (overwrite ? writeFileAtomic(path, content, mode) : writeNewFileAtomic(path, content, mode));
      written.push(path);
    }
  } catch (error) {
    if (!overwrite) for (const path of written) await rm(path, { force: true });
    throw writeFault(error, files[written.length]?.path ?? '');
  }
}

function writeFault(error: unknown, path: string): Fault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EEXIST') return isThere(path);
  if (code === 'ENOENT') return new Fault('usage', `The folder of ${path} does not exist.`, error);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new Fault('not-permitted', `You may not write ${path}.`, error);
  }
  return new Fault('store', `${path} can't be written (${code || 'unknown reason'}).`, error);
}

function isThere(path: string): Fault {
  return new Fault(
    'usage',
    `${path} is there already and was left as it is; replace it with --force, or choose another --out.`,
  );
}
