import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { makePrivateFolder, writeFileAtomic } from '../../../daemon/sys/atomic-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-atomic-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('replacing a file', () => {
  it('leaves the new content alone, private, under another inode', async () => {
    const path = join(folder, 'a');
    await writeFile(path, 'old', { mode: 0o644 });
    const before = (await stat(path)).ino;
    await writeFileAtomic(path, 'new');
    assert.equal(await readFile(path, 'utf8'), 'new');
    assert.notEqual((await stat(path)).ino, before);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['a']);
  });

  it('that fails leaves the old content and nothing else', async () => {
    const path = join(folder, 'a');
    await mkdir(join(path, 'b'), { recursive: true });
    await assert.rejects(writeFileAtomic(path, 'new'));
    assert.deepEqual(await readdir(folder), ['a']);
    assert.deepEqual(await readdir(path), ['b']);
  });

  it('many at once leave one of them whole', async () => {
    const path = join(folder, 'a');
    const contents = ['x', 'y', 'z'].map((letter) => letter.repeat(100_000));
    await Promise.all(contents.map((content) => writeFileAtomic(path, content)));
    assert.ok(contents.includes(await readFile(path, 'utf8')));
    assert.deepEqual(await readdir(folder), ['a']);
  });
});

describe('a private folder', () => {
  it('is made with its parents', async () => {
    await makePrivateFolder(join(folder, 'a', 'b'));
    assert.equal((await stat(join(folder, 'a', 'b'))).mode & 0o777, 0o700);
  });
});
