import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfig } from '../../../daemon/config-load.js';
import { readCaBundle } from '../../../daemon/trust/ca-bundle.js';
import { issue, makeAuthority } from './authority.js';

let folder: string;
let authority: string;
let servers: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftpseal-bundle-'));
  authority = makeAuthority(folder);
  servers = issue(folder, 'server', ['a.test']);
});
after(() => {
  rmSync(folder, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o644 });
  return path;
}

async function refused(path: string, sentence: RegExp): Promise<void> {
  await assert.rejects(readCaBundle(path), { code: 'config', userMessage: sentence });
}

describe('the bundle of an organisation’s authorities', () => {
  it('gives its certificates and nothing else that stands in it', async () => {
    const path = file('good.pem', `Our authorities\n${authority}\n# the same again\n${authority}`);
    assert.equal(await readCaBundle(path), `${authority.trim()}\n${authority.trim()}\n`);
  });

  it('is refused with a sentence that says what is wrong with it', async () => {
    await refused(join(folder, 'none.pem'), /none\.pem does not exist$/);
    await refused(file('empty.pem', ''), /empty\.pem holds no certificate in PEM form/);
    await refused(file('server.pem', authority + servers), /certificate 2 \(CN=x\), which is a server's/);
    await refused(file('cut.pem', authority.slice(0, -30)), /is cut off/);
    await refused(file('damaged.pem', authority.replace(/\nM/, '\nN')), /certificate 1 is damaged/);
    const key = readFileSync(join(folder, 'ca.key'), 'utf8');
    await refused(file('key.pem', authority + key), /holds a private key/);
    await refused(file('huge.pem', ' '.repeat(1024 * 1024 + 1)), /is larger than/);
    mkdirSync(join(folder, 'folder.pem'));
    await refused(join(folder, 'folder.pem'), /is not a file/);
  });

  it('is refused when others can change it', async (t) => {
    if (process.platform === 'win32') {
      t.skip('the rights of a file are not in a mode here');
      return;
    }
    const path = file('shared.pem', authority);
    chmodSync(path, 0o664);
    await refused(path, /can be changed by other users/);
    if (process.getuid?.() !== 0) return;
    chmodSync(path, 0o644);
    chownSync(path, 12_345, 12_345);
    await refused(path, /belongs to another user \(uid 12345\)/);
  });

  it('is read with the configuration, and a bad one is told with file, line and key', async () => {
    const bundle = file('org.pem', authority);
    const good = file('good.toml', `[trust]\nca_bundle = "${bundle}"\n`);
    assert.equal((await loadConfig(good)).trust.authorities, `${authority.trim()}\n`);
    const bad = file('bad.toml', '[trust]\n\nca_bundle = "/nowhere/ca.pem"\n');
    const sentence = `${bad}:3: trust.ca_bundle can't be used: /nowhere/ca.pem does not exist`;
    await assert.rejects(loadConfig(bad), { code: 'config', userMessage: sentence });
    const relative = file('relative.toml', '[trust]\nca_bundle = "ca.pem"\n');
    await assert.rejects(loadConfig(relative), { userMessage: /must be an absolute path/ });
  });
});
