import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseHost, parseSelector, readGivenKey } from '../../../daemon/cli/selector.js';
import { Fault } from '../../../shared/fault.js';
import { certificatePem, key, keyFingerprint } from '../trust/fixture.js';

const isUsage = (error: unknown) => error instanceof Fault && error.code === 'usage';

describe('what keys commands work on', () => {
  it('is a server, a key, or one key of one server', () => {
    assert.deepEqual(parseSelector('Files.Example.com', undefined), {
      kind: 'host',
      host: 'files.example.com',
    });
    assert.deepEqual(parseSelector('192.0.2.1:2121', undefined), {
      kind: 'host',
      host: '192.0.2.1',
      port: 2121,
    });
    assert.deepEqual(parseSelector('[2001:DB8::1]:21', undefined), {
      kind: 'host',
      host: '2001:db8::1',
      port: 21,
    });
    assert.deepEqual(parseSelector(key('a'), undefined), { kind: 'fingerprint', fingerprint: key('a') });
    assert.equal(parseSelector('a.test', key('a')).kind, 'both');
  });

  it('is never a guess', () => {
    for (const wrong of ['', 'a b', 'a:0', '192.0.2.300', 'ftp://a.test/'])
      assert.throws(() => parseHost(wrong), isUsage, wrong);
    assert.throws(() => parseSelector('a.test', 'no fingerprint'), isUsage);
  });
});

describe('a key on the command line', () => {
  it('is a fingerprint, a file, or neither', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ftpseal-selector-'));
    try {
      const file = join(folder, 'server.pem');
      await writeFile(file, certificatePem);
      assert.equal((await readGivenKey(file)).fingerprint, keyFingerprint);
      assert.equal((await readGivenKey(keyFingerprint)).fingerprint, keyFingerprint);
      assert.equal((await readGivenKey(certificatePem)).from, 'certificate');
      await assert.rejects(readGivenKey(join(folder, 'none')), isUsage);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
