// The person's side on Windows: icon, question window (harness/edge.ts), keychain, start at login.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { waitFor } from '../lab/harness/command.js';
import { WineDesktop } from './harness/desktop.js';
import { browserInside, edgeCalls, firstWindow, placeEdge } from './harness/edge.js';
import { freePort, startFtpsServer, type FtpsServer } from './harness/ftps-server.js';
import { Wine } from './harness/wine.js';
import type { WineProcess } from './harness/wine-process.js';

const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root, for the account of vsftpd' };
/** Screenshots go here when they are wanted; they differ a little each time. */
const screens = process.env['FTPSEAL_SCREENS'];
const patience = 120_000;

describe('the tray on Windows', needsRoot, () => {
  let desktop: WineDesktop;
  let wine: Wine;
  let server: FtpsServer;
  let tray: WineProcess;
  let browser: Browser | undefined;
  let port: number;

  before(async () => {
    server = await startFtpsServer({ 'letter.txt': 'from the server' });
    desktop = await WineDesktop.open();
    wine = Wine.open({ display: desktop.display });
    await placeEdge(wine);
    await desktop.show(wine);
    port = await freePort();
    const config = wine.patientConfig();
    const proxy = wine.startFtpseal(['proxy', '--listen', `127.0.0.1:${port}`, '--config', config]);
    await proxy.said(/ftpseal proxy listens/, patience);
    tray = wine.startFtpseal(['tray']);
  });
  after(async () => {
    await browser?.close();
    await wine.close();
    await server.stop();
    await desktop.close();
  });

  it('shows its icon in the task bar', async () => {
    await desktop.iconShown(wine);
    assert.equal(tray.stderr(), '');
  });

  it('opens a question by itself, takes the answer, and keeps the key in the Credential Manager', async () => {
    const user = `${server.user}@127.0.0.1:${server.port}`;
    const argv = wine.nodeArguments(wine.guestScript('ftp-client'), [
      String(port),
      user,
      server.password,
      'letter.txt',
    ]);
    const client = wine.start(argv);
    const balloon = desktop.balloonShown(wine);
    await waitFor(
      () => `Edge to be started; the tray: ${tray.stderr()}; the client: ${client.stderr()}`,
      () => edgeCalls(wine).includes('--app='),
      patience,
    );
    await balloon;
    if (screens !== undefined) {
      await desktop.shootBalloon(path.join(screens, 'windows-balloon.png'));
      await desktop.shootMenu(path.join(screens, 'windows-tray.png'));
    }
    const called = edgeCalls(wine);
    assert.match(called, /"?--user-data-dir=C:\\users\\[^\\]+\\AppData\\Local\\ftpseal\\state\\window/);
    const url = firstWindow(wine);
    browser = await browserInside(wine, patience);
    const page = await browser.newPage({ viewport: { width: 1000, height: 760 } });
    page.setDefaultTimeout(patience);
    await page.goto(url, { timeout: patience });
    await page.getByRole('button', { name: 'Trust always' }).waitFor();
    const text = await page.locator('body').innerText();
    assert.ok(text.replace(/\s/g, '').includes(server.fingerprint.replace('SHA256:', '')), text);
    if (screens !== undefined) await page.screenshot({ path: path.join(screens, 'windows-question.png') });
    await page.getByRole('button', { name: 'Trust always' }).click();
    await page.getByRole('heading', { name: 'Answered' }).waitFor();
    const { code, stdout, stderr } = await client.finish(patience);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { content: string }).content, 'from the server');
    // Where the tray was slower than the person the key goes to the file first.
    let kept = '';
    await waitFor(
      () => `the key in the Credential Manager: ${kept}`,
      async () => {
        kept = (await wine.run(['reg', 'query', 'HKCU\\Software\\Wine\\Credential Manager', '/s'])).stdout;
        return (
          kept.includes('index 0.ftpseal') &&
          kept.includes(`key 127.0.0.1:${server.port} ${server.fingerprint}`)
        );
      },
      patience,
    );
    const list = await wine.ftpseal(['keys', 'list', '--json'], { timeoutMs: patience });
    assert.ok(list.stdout.includes(server.fingerprint), list.stderr);
  });

  it('is one: another start asks it for the manager', async () => {
    const before = edgeCalls(wine).length;
    const { code, stderr } = await wine.ftpseal(['manager'], { timeoutMs: patience });
    assert.equal(code, 0, stderr);
    await waitFor('the manager’s window', () => edgeCalls(wine).length > before, patience);
  });

  it('starts at login when the person wants that', async () => {
    const answers = await wine.guest('autostart', [], { timeoutMs: patience });
    assert.deepEqual(answers, [false, true, false, false, true]);
  });

  it('answers nobody whom Windows does not know', async () => {
    const { origin } = new URL(/--app=(http:[^" ]+)/.exec(edgeCalls(wine))?.[1] ?? '');
    await assert.rejects(fetch(`${origin}/now`));
  });

  it('ends in order when an upgrade asks for that', async () => {
    const { stdout, stderr } = await wine.ftpseal(['tray', '--quit'], { timeoutMs: patience });
    assert.match(stdout, /Your tray icon goes/, stderr);
    const { code } = await tray.finish(patience);
    assert.equal(code, 0, tray.stderr());
    assert.match((await wine.ftpseal(['tray', '--quit'])).stdout, /No tray icon of yours/);
  });
});
