// The work of one matrix cell: the files it needs on both sides, and the verdict on what the client left behind.
// Verdicts are read from the files, not from what a client says about itself.
import {
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { ClientReport, Operation } from './clients/client.js';
import { clientUid, serverUid } from './harness/account.js';
import { run } from './harness/command.js';
import { content, readIfThere } from './harness/payload.js';

/** The two folders of a cell as the lab sees them. */
export interface CellFolders {
  readonly local: string;
  readonly remote: string;
}

const hello = content(65_536, 7);
const tail = content(3000, 8);
const head = content(5000, 9);
const offset = 30_000;
const many = 200;

/** Every name of a cell's many files, with their content. */
function manyFiles(prefix: string): readonly (readonly [string, Buffer])[] {
  return Array.from({ length: many }, (_, index) => {
    const name = `${prefix}-${String(index + 1).padStart(3, '0')}`;
    return [name, content(2000 + index, (index % 200) + 1)] as const;
  });
}

/** Lays out both folders. `huge` is the big file that both sides share by link. */
export function prepare(
  folders: CellFolders,
  { huge, longBytes }: { readonly huge: string; readonly longBytes: number },
): void {
  for (const folder of [folders.local, folders.remote])
    mkdirSync(path.join(folder, 'many'), { recursive: true });
  const remote: readonly (readonly [string, Buffer])[] = [
    ['hello.bin', hello],
    ['append.bin', head],
    ['rename-me', tail],
    ['delete-me', tail],
    ['empty-down', Buffer.alloc(0)],
    ['long.bin', Buffer.alloc(0)],
    ...manyFiles('many/down'),
  ];
  const local: readonly (readonly [string, Buffer])[] = [
    ['hello.bin', hello],
    ['tail.bin', tail],
    ['appended.local', Buffer.concat([head, tail])],
    // Wrong bytes up to the offset: they survive only if the client really restarts there.
    ['restart.bin', Buffer.alloc(offset, 'X')],
    ['empty-up', Buffer.alloc(0)],
    ...manyFiles('many/up'),
  ];
  for (const [name, bytes] of remote) put(folders.remote, name, bytes, serverUid);
  for (const [name, bytes] of local) put(folders.local, name, bytes, clientUid);
  truncateSync(path.join(folders.remote, 'long.bin'), longBytes);
  linkSync(huge, path.join(folders.remote, 'huge.bin'));
  symlinkSync(huge, path.join(folders.local, 'huge.local'));
  for (const folder of [folders.remote, path.join(folders.remote, 'many')])
    chownSync(folder, serverUid, serverUid);
  for (const folder of [folders.local, path.join(folders.local, 'many')])
    chownSync(folder, clientUid, clientUid);
}

function put(folder: string, name: string, bytes: Buffer, uid: number): void {
  writeFileSync(path.join(folder, name), bytes);
  chownSync(path.join(folder, name), uid, uid);
}

/** Removes both folders of a cell. */
export function cleanUp(folders: CellFolders): void {
  for (const folder of [folders.local, folders.remote]) rmSync(folder, { recursive: true, force: true });
}

/** Why the operation did not do what it should, or undefined if it did. */
export async function failureOf(
  operation: Operation,
  report: ClientReport,
  folders: CellFolders,
  { huge, longBytes }: { readonly huge: { readonly sha256: string }; readonly longBytes: number },
): Promise<string | undefined> {
  const said = report.outputs.get(operation);
  if (said === undefined) return `not reached. ${report.outputs.get('stopped') ?? ''}`;
  const local = (name: string): string => path.join(folders.local, name);
  const remote = (name: string): string => path.join(folders.remote, name);
  switch (operation) {
    case 'list':
    case 'nlst':
      return names(said);
    case 'mlsd':
      return names(said);
    case 'get':
      return same(local('got.bin'), hello);
    case 'put':
      return same(remote('put.bin'), hello);
    case 'append':
      return same(remote('append.bin'), Buffer.concat([head, tail]));
    case 'restart':
      return same(local('restart.bin'), Buffer.concat([Buffer.alloc(offset, 'X'), hello.subarray(offset)]));
    case 'rename':
      return same(remote('renamed'), tail) ?? gone(remote('rename-me'));
    case 'delete':
      return gone(remote('delete-me'));
    case 'mkdir':
      return sizeOf(remote('new-dir')) === undefined ? 'new-dir is not there' : undefined;
    case 'empty':
      return same(remote('empty-up'), Buffer.alloc(0)) ?? same(local('empty-down'), Buffer.alloc(0));
    case 'failed-retr':
      return failedRetr(said, local('missing.bin'));
    case 'abort':
      return aborted(said, local('aborted.bin'), longBytes) ?? same(local('after-abort.bin'), hello);
    case 'many':
      return sameMany(folders);
    case 'huge':
      return (await otherHash(local('huge.down'), huge.sha256)) ?? otherHash(remote('huge.up'), huge.sha256);
  }
}

function names(said: string): string | undefined {
  return said.includes('hello.bin') && said.includes('empty-down') ? undefined : 'the listing lacks files';
}

/**
 * The server's 550 has to reach the client as what it is. (basic-ftp looks at a reset data connection first, and
 * ProFTPD resets it.)
 */
function failedRetr(said: string, file: string): string | undefined {
  if (!/550|no such file|exit code 78|ECONNRESET \(data socket\)/i.test(said))
    return 'the client did not hear that the file is missing';
  return (sizeOf(file) ?? 0) > 0 ? 'bytes arrived for a file that does not exist' : undefined;
}

function aborted(said: string, partial: string, longBytes: number): string | undefined {
  const size = sizeOf(partial) ?? 0;
  if (size === 0) return 'nothing was transferred before the abort';
  if (size >= longBytes) return 'the abort came too late';
  return /\b(?:225|226|426|451)\b|abort|ABOR/i.test(said) ? undefined : 'no sign of an abort';
}

function same(file: string, wanted: Buffer): string | undefined {
  const found = readIfThere(file);
  if (found === undefined) return `${path.basename(file)} is not there`;
  if (found.equals(wanted)) return undefined;
  return `${path.basename(file)} has ${found.length} bytes and differs from the ${wanted.length} wanted ones`;
}

function sameMany(folders: CellFolders): string | undefined {
  const check = (folder: string, prefix: string): string | undefined =>
    manyFiles(prefix)
      .map(([name, bytes]) => same(path.join(folder, name), bytes))
      .find((failure) => failure !== undefined);
  return check(folders.remote, 'many/up') ?? check(folders.local, 'many/down');
}

/** By a process of its own: other cells are being driven meanwhile, and their aborts must not come late. */
async function otherHash(file: string, wanted: string): Promise<string | undefined> {
  const finished = await run({}, ['sha256sum', file]);
  if (finished.code !== 0) return `${path.basename(file)} is not there`;
  if (finished.stdout.startsWith(wanted)) return undefined;
  return `${path.basename(file)} (${sizeOf(file) ?? 0} bytes) has another SHA-256`;
}

function gone(file: string): string | undefined {
  return sizeOf(file) === undefined ? undefined : `${path.basename(file)} is still there`;
}

function sizeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
