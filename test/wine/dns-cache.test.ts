// Names out of the DNS cache of Windows: with a stand-in for dnsapi.dll that is compiled with windns.h, and with Wine's own, which has no cache.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Wine } from './harness/wine.js';

const source = path.resolve(import.meta.dirname, '../../../test/wine/dns-cache.c');
const addresses = ['10.1.2.3', '2001:db8::7', '10.1.2.4'];

describe('the DNS cache of Windows', { timeout: 120_000 }, () => {
  let wine: Wine;
  before(() => {
    wine = Wine.open();
  });
  after(() => wine.close());

  it('tells what programs looked up; all that it hands out is freed, and nothing goes to the network', async () => {
    const dll = path.join(wine.folder, 'dnsapi-stand-in.dll');
    execFileSync('x86_64-w64-mingw32-gcc', [
      '-O2',
      '-Wall',
      '-Werror',
      '-shared',
      '-o',
      dll,
      source,
      '-lws2_32',
    ]);
    assert.deepEqual(await wine.guest('dns-cache', [wine.windowsPath(dll), ...addresses]), {
      current: [['ftp.lab.test', 'www.lab.test'], ['six.lab.test'], []],
      notes: ['learning from the DNS cache of Windows'],
      counts: [0, 0],
    });
  });

  it('that Windows does not show is a line in the log, and no names', async () => {
    assert.deepEqual(await wine.guest('dns-cache', ['-', ...addresses]), {
      current: [[], [], []],
      notes: ['the DNS cache of Windows can’t be read Windows gives none'],
      counts: [],
    });
  });

  it('is not asked where the library lacks the function', async () => {
    const dll = path.join(wine.driveC, 'windows/system32/version.dll');
    const said = JSON.stringify(await wine.guest('dns-cache', [wine.windowsPath(dll), ...addresses]));
    assert.match(said, /"current":\[\[\],\[\],\[\]\],"notes":\["not learning from the DNS cache of Windows /);
  });
});
