// Replaces a file so that a reader, or a crash at any moment, finds the old content or the new, never a part.
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, basename } from 'node:path';

/**
 * Writes `content` to a new file beside `path` (mode 0600 unless told), flushes it to the disk, renames it over
 * `path` and flushes the folder. On failure the old file is untouched and the new one removed; rejects with the
 * system's error.
 */
export async function writeFileAtomic(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeAndSync(temporary, content, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * As `writeFileAtomic`, for a file that must not be there yet: rejects with the system's EEXIST if it is, whoever made it and when.
 */
export async function writeNewFileAtomic(path: string, content: string, mode = 0o600): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeAndSync(temporary, content, mode);
    await link(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

/** Makes a folder that only its owner may enter, with its parents; an existing one gets the same mode. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  // A folder that is right already may be on a file system that has become read-only.
  if (((await stat(path)).mode & 0o777) !== 0o700) await chmod(path, 0o700);
}

async function writeAndSync(path: string, content: string, mode: number): Promise<void> {
  // `wx`: a file or a link that someone laid there is an error, not a place to write to.
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content, 'utf8');
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  // Windows opens no folder for writing, and NTFS writes a rename to its own journal.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
