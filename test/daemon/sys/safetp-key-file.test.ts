import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadServerKey } from '../../../daemon/sys/safetp-key-file.js';

let folder: string;
let made: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-key-file-'));
  made = 0;
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const load = (brand = 'ftp.example.org', name = 'safetp.key') =>
  loadServerKey({
    path: join(folder, name),
    brand,
    onMaking: () => {
      made += 1;
    },
  });

describe('the key file of an X-SafeTP1 server', () => {
  it('is made once, for its owner only, and read again', async () => {
    const first = await load();
    assert.equal((await stat(join(folder, 'safetp.key'))).mode & 0o777, 0o600);
    const second = await load('another name');
    assert.equal(made, 1);
    assert.equal(second.branded.key.fingerprint, first.branded.key.fingerprint);
    assert.equal(second.branded.brand, 'another name');
  });
  it('is refused when others can read it', async () => {
    await load();
    await chmod(join(folder, 'safetp.key'), 0o640);
    await assert.rejects(load(), { name: 'Fault', code: 'key', message: /Others can read/ });
  });
  it('is refused when it holds something else', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const large = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 }).privateKey;
    for (const pem of ['no key', ec, large.export({ type: 'pkcs8', format: 'pem' })]) {
      await writeFile(join(folder, 'other.key'), pem, { mode: 0o600 });
      await assert.rejects(load('x', 'other.key'), { name: 'Fault', code: 'key' });
    }
    assert.equal(made, 0);
  });
  it('is not made for a name that could deceive, nor in a folder that is not there', async () => {
    await assert.rejects(load('a\u202eb'), { name: 'Fault', code: 'config' });
    await assert.rejects(load('x', 'nowhere/safetp.key'), { name: 'Fault', code: 'key' });
  });
});
