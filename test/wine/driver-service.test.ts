// What `ftpseal cleanup` removes of WinDivert, with Windows' own service manager. The driver itself can't be loaded here.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import path from 'node:path';
import { Wine } from './harness/wine.js';

const key = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\WinDivert';

describe('the driver’s service', () => {
  let wine: Wine;
  before(() => {
    wine = Wine.open();
  });
  after(() => wine.close());

  async function create(driver: string): Promise<void> {
    const made = await wine.run([
      'sc',
      'create',
      'WinDivert',
      'type=',
      'kernel',
      'start=',
      'demand',
      'binPath=',
      driver,
    ]);
    assert.equal(made.code, 0, made.stdout + made.stderr);
    assert.equal(await isThere(), true);
  }
  async function isThere(): Promise<boolean> {
    return (await wine.run(['reg', 'query', key, '/v', 'ImagePath'])).code === 0;
  }
  async function cleanUp(): Promise<void> {
    const { code, stdout, stderr } = await wine.ftpseal(['cleanup']);
    assert.equal(code, 0, stdout + stderr);
  }

  it('is removed if it is ours, again without a word, and left alone if it is another program’s', async () => {
    await create(`\\??\\${wine.windowsPath(path.join(wine.program, 'windivert', 'WinDivert64.sys'))}`);
    await cleanUp();
    assert.equal(await isThere(), false);
    await cleanUp();
    await create('\\??\\C:\\Program Files\\Other\\WinDivert64.sys');
    await cleanUp();
    assert.equal(await isThere(), true);
  });
});
