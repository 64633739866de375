// What the tests of the server proxy share: the folders of one client's work, and the verdict on what it left behind.
import { chownSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clientUid, serverUid } from '../harness/account.js';
import type { Lab } from '../harness/lab.js';
import { content, readIfThere, sha256, writeContent } from '../harness/payload.js';
import type { LabServer } from '../harness/server.js';

export const hello = content(65_537, 7);
const LARGE_BYTES = 6_000_000;

export interface Work {
  readonly folder: string;
  readonly remote: string;
}

let large: { readonly lab: Lab; readonly file: string; readonly hash: string } | undefined;

function largeFile(lab: Lab): { readonly file: string; readonly hash: string } {
  if (large?.lab !== lab) {
    const file = path.join(lab.folder, 'large.bin');
    writeContent(file, LARGE_BYTES);
    large = { lab, file, hash: sha256(file) ?? '' };
  }
  return large;
}

/** Lays out a client's folder and its folder at the server. */
export function layOut(lab: Lab, server: LabServer, name: string): Work {
  const work = { folder: path.join(lab.folder, 'work', name), remote: name };
  const there = path.join(server.home, name);
  const { file } = largeFile(lab);
  for (const folder of [work.folder, there]) mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(there, 'hello.bin'), hello);
  writeFileSync(path.join(there, 'empty.bin'), '');
  linkSync(file, path.join(there, 'large.bin'));
  writeFileSync(path.join(work.folder, 'hello.local'), hello);
  writeFileSync(path.join(work.folder, 'empty.local'), '');
  symlinkSync(file, path.join(work.folder, 'large.local'));
  chownSync(there, serverUid, serverUid);
  chownSync(work.folder, clientUid, clientUid);
  return work;
}

/** What is wrong with the files after the work; empty if nothing. */
export function faultsOf(
  lab: Lab,
  server: LabServer,
  work: Work,
  { said, noEmptyUpload }: { readonly said: string; readonly noEmptyUpload: boolean },
): readonly string[] {
  const { hash } = largeFile(lab);
  const here = (name: string): string => path.join(work.folder, name);
  const there = (name: string): string => path.join(server.home, work.remote, name);
  const same = (file: string, wanted: Buffer): readonly string[] =>
    readIfThere(file)?.equals(wanted) === true ? [] : [`${path.basename(file)} is wrong or missing`];
  const isLarge = (file: string): readonly string[] =>
    sha256(file) === hash ? [] : [`${path.basename(file)} is wrong or missing`];
  return [
    ...(said.includes('hello.bin') ? [] : ['no listing']),
    ...same(here('got.bin'), hello),
    ...same(there('put.bin'), hello),
    ...(noEmptyUpload ? [] : same(there('empty.up'), Buffer.alloc(0))),
    ...same(here('empty.down'), Buffer.alloc(0)),
    ...isLarge(here('large.down')),
    ...isLarge(there('large.up')),
    ...(/550|exit code 78|No such file/i.test(said) ? [] : ['did not hear that a file is missing']),
  ];
}

export function cleanUp(server: LabServer, work: Work): void {
  rmSync(work.folder, { recursive: true, force: true });
  rmSync(path.join(server.home, work.remote), { recursive: true, force: true });
}
