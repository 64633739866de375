// The built program with Node for Windows: it starts, its native parts load, and what needs no Windows service does its work.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Wine } from './harness/wine.js';

describe('ftpseal with Node for Windows', () => {
  let wine: Wine;
  before(() => {
    wine = Wine.open();
  });
  after(() => wine.close());

  it('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(path.join(wine.program, 'package.json'), 'utf8')) as {
      version: string;
    };
    const { code, stdout, stderr } = await wine.ftpseal(['--version']);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), version);
  });

  it('runs on what calls itself Windows, with the keychain and the foreign function library', async () => {
    const facts = await wine.guest('native-parts');
    assert.deepEqual(facts, {
      platform: 'win32',
      samePid: true,
      secret: 'secret of the test',
      afterwards: null,
    });
  });

  it('turns its log over while somebody reads it', async () => {
    const folder = path.join(wine.driveC, 'log');
    await wine.guest('rotating-file', [wine.windowsPath(path.join(folder, 'x.log'))]);
    const sizes = readdirSync(folder).map((name) => [name, statSync(path.join(folder, name)).size <= 1000]);
    assert.deepEqual(sizes.sort(), [
      ['x.log', true],
      ['x.log.1', true],
      ['x.log.2', true],
    ]);
    assert.match(readFileSync(path.join(folder, 'x.log'), 'utf8'), /line 499\n$/);
  });

  it('makes a certificate that openssl understands', async () => {
    const target = path.join(wine.folder, 'site');
    const finished = await wine.ftpseal([
      'cert',
      'create',
      'ftp.example.com',
      '--out',
      wine.windowsPath(target),
    ]);
    assert.equal(finished.code, 0, finished.stderr);
    const certificate = new X509Certificate(readFileSync(`${target}.crt`));
    assert.equal(certificate.checkHost('ftp.example.com'), 'ftp.example.com');
  });
});
