// Why a file can't be written, in words.

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'its file system is read-only',
  EFBIG: 'it is full, and nothing can be moved out of the way',
  EIO: 'the disk fails',
  EACCES: 'this user may not change it',
  EPERM: 'this user may not change it',
};

/** A system error of a file; its code where there is no word for it. */
export function diskReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return words[code] ?? (code === '' ? 'it failed' : code);
}
