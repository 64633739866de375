// What `npm run dist:windows` makes: the same bytes twice, and a setup program that installs, replaces and removes ftpseal without a trace.
// Between installation and upgrade a person uses the installed copy: explicit proxy, a real FTPS server, a question, the credential store.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { Browser } from 'playwright-core';
import { run, waitFor } from '../lab/harness/command.js';
import { WineDesktop } from './harness/desktop.js';
import { browserInside, firstWindow, placeEdge } from './harness/edge.js';
import { freePort, startFtpsServer, type FtpsServer } from './harness/ftps-server.js';
import { textOf, Wine } from './harness/wine.js';
import type { Finished, WineProcess } from './harness/wine-process.js';

const repository = path.resolve(import.meta.dirname, '../../..');
const script = path.join(repository, 'installers/windows/dist.mjs');
const setupName = 'ftpseal-0.1.0-setup.exe';
const patience = { timeoutMs: 200_000 };
const uninstallKey = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\ftpseal';
const runKey = 'HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run';
const credentialKey = 'HKCU\\Software\\Wine\\Credential Manager';
const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root, for the account of vsftpd' };
const entries = [
  'LICENSE.txt',
  'THIRD-PARTY-LICENSES.txt',
  'dist',
  'ftpseal.cmd',
  'ftpseal.ico',
  'ftpsealw.exe',
  'node.exe',
  'node_modules',
  'package.json',
  'sbom.cdx.json',
  'uninstall.exe',
  'windivert',
];

function hash(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function listing(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];
}

describe('the setup program for Windows', () => {
  let wine: Wine;
  let desktop: WineDesktop;
  let setup: string;
  let server: FtpsServer | undefined;
  let browser: Browser | undefined;
  /** What runs of the installed copy, and ends at an upgrade. */
  const running: WineProcess[] = [];

  const build = async (folder: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const place = { env: { SOURCE_DATE_EPOCH: '1790000000', ...env } };
    const argv = [process.execPath, script, '--fast', '--version', '0.1.0', '--out', folder];
    const { code, stdout, stderr } = await run(place, argv, { timeoutMs: 250_000 });
    assert.equal(code, 0, `${stdout}${stderr}`);
    return stdout;
  };
  const program = (...parts: string[]): string =>
    path.join(wine.driveC, 'Program Files', 'ftpseal', ...parts);
  const data = (...parts: string[]): string => path.join(wine.driveC, 'ProgramData', 'ftpseal', ...parts);
  const menu = (): string =>
    path.join(wine.driveC, 'ProgramData/Microsoft/Windows/Start Menu/Programs/ftpseal');
  const state = async (): Promise<string> => {
    const { stdout } = await wine.run(['sc', 'query', 'ftpseal']);
    return /STATE\s+: \d+\s+(\w+)/.exec(stdout)?.[1] ?? 'none';
  };
  const install = async (...words: string[]): Promise<Finished> =>
    wine.run([setup, '/S', ...words], patience);
  const installed = async (...words: string[]): Promise<void> => {
    const { code, stdout, stderr } = await install(...words);
    assert.equal(code, 0, `${stdout}\n${stderr}\n${textOf(data('state/log/service.log'))}`);
  };
  /** `ftpseal` of the installed copy. */
  const argvOf = (...args: string[]): readonly string[] => [
    program('node.exe'),
    ...wine.nodeArguments(program('dist/daemon/main.js'), args).slice(1),
  ];
  const ftpseal = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await wine.run(argvOf(...args), patience);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const credentials = async (): Promise<string> =>
    (await wine.run(['reg', 'query', credentialKey, '/s'])).stdout;
  const registry = async (key: string): Promise<string> => (await wine.run(['reg', 'query', key])).stdout;
  /** The uninstaller goes on as a copy of itself; its key in the registry is the last thing that it removes. */
  const uninstall = async (folder: string, ...words: string[]): Promise<void> => {
    await wine.run([path.join(folder, 'uninstall.exe'), '/S', ...words], patience);
    await waitFor(
      'the uninstaller',
      async () => !(await registry(uninstallKey)).includes('ftpseal'),
      200_000,
    );
  };
  const assertNoTrace = async (t: TestContext, folder: string): Promise<void> => {
    const left = { files: listing(folder), menu: listing(menu()), service: await state() };
    t.diagnostic(`left: ${JSON.stringify(left)}`);
    for (const key of [uninstallKey, runKey, 'HKLM\\System\\CurrentControlSet\\Services\\ftpseal']) {
      t.diagnostic(`left in ${key}: ${(await registry(key)).replace(/\s+/g, ' ').trim() || 'nothing'}`);
    }
    t.diagnostic(`left in ProgramData: ${listing(data()).join(' ') || 'nothing'}`);
    assert.deepEqual(left, { files: [], menu: [], service: 'none' });
    assert.ok(!existsSync(folder) && !existsSync(menu()));
    const driver = await wine.run(['sc', 'query', 'WinDivert']);
    assert.doesNotMatch(driver.stdout, /STATE/);
    assert.doesNotMatch(await registry(runKey), /ftpseal/);
  };

  before(async () => {
    desktop = await WineDesktop.open();
    wine = Wine.open({ display: desktop.display });
    wine.stayAwake();
    setup = path.join(wine.folder, 'one', setupName);
    const printed = await build(path.join(wine.folder, 'one'));
    assert.ok(printed.includes(hash(setup)), printed);
    assert.match(printed, /not signed/);
  });
  after(async () => {
    await browser?.close();
    await wine.close();
    await server?.stop();
    await desktop.close();
  });

  it('is the same, built by somebody with other habits', async () => {
    const elsewhere = path.join(wine.folder, 'elsewhere');
    mkdirSync(elsewhere);
    await build(path.join(wine.folder, 'two'), { TZ: 'Asia/Tokyo', TMPDIR: elsewhere });
    assert.equal(hash(path.join(wine.folder, 'two', setupName)), hash(setup));
  });

  it('has each of its own programs signed by the publisher’s command', async () => {
    const notes = path.join(wine.folder, 'to-sign.txt');
    const signer = path.join(wine.folder, 'signer.sh');
    writeFileSync(signer, `test -s "$1" && basename "$1" >> "${notes}"\n`);
    const printed = await build(path.join(wine.folder, 'three'), { FTPSEAL_SIGN: `sh ${signer}` });
    assert.doesNotMatch(printed, /not signed/);
    const signed = textOf(notes).trim().split('\n');
    assert.equal(signed.length, 4, `two helpers, the uninstaller, the setup: ${signed.join(' ')}`);
    for (const name of ['ftpsealw.exe', 'end-programs.exe', setupName])
      assert.ok(signed.includes(name), name);
  });

  it('installs a service that runs, takes the administrator’s keys, and what a person starts', async (t) => {
    await installed();
    assert.deepEqual(readdirSync(program()).sort(), entries);
    assert.equal(hash(program('node.exe')), hash(wine.nodeExe));
    const driver = [
      'GPL-2.txt',
      'GPL-3.txt',
      'LGPL-3.txt',
      'WinDivert.dll',
      'WinDivert64.sys',
      'windivert.txt',
    ];
    assert.deepEqual(readdirSync(program('windivert')).sort(), driver);
    const load = `for (const name of ['koffi', '@napi-rs/keyring', 'systray2']) require(name)`;
    const { code, stderr } = await wine.run([program('node.exe'), '-e', load], { cwd: program() });
    assert.equal(code, 0, stderr);
    assert.ok(existsSync(program('node_modules/systray2/traybin/tray_windows_release.exe')));
    assert.equal(await state(), 'RUNNING');
    // Here a file that the setup's own user makes is an administrator's.
    writeFileSync(data('keys.d', 'files.example.test.pem'), `SHA256:${'A'.repeat(43)}`);
    const folder = 'C:\\ProgramData\\ftpseal\\keys.d';
    t.diagnostic(
      `rights: ${JSON.stringify(await wine.guest('rights', [folder, `${folder}\\files.example.test.pem`]))}`,
    );
    await waitFor('the key of the administrator', async () =>
      (await ftpseal('keys', 'list')).includes('by the administrator'),
    );
    assert.match(await ftpseal('--version'), /^0\.1\.0\s*$/);
    const status = JSON.parse(await ftpseal('status', '--json')) as { mode: string };
    assert.equal(status.mode, 'redirect');
    assert.match(
      await registry(runKey),
      /ftpseal\s+REG_SZ\s+"C:\\Program Files\\ftpseal\\ftpsealw\.exe" tray/,
    );
    assert.match(await registry(uninstallKey), /DisplayVersion\s+REG_SZ\s+0\.1\.0/);
    assert.deepEqual(listing(menu()), ['ftpseal tray icon.lnk', 'ftpseal.lnk']);
  });

  it('brings ftpseal as a command, and one without a window', async () => {
    const { stdout } = await wine.run(['cmd', '/c', program('ftpseal.cmd'), '--version'], patience);
    assert.match(stdout, /0\.1\.0/);
    const target = path.join(wine.folder, 'made by', 'site');
    mkdirSync(path.dirname(target));
    const make = ['cert', 'create', 'ftp.example.com', '--out', wine.windowsPath(target)];
    const { code } = await wine.run([program('ftpsealw.exe'), ...make], patience);
    assert.equal(code, 0);
    await waitFor('the certificate', () => listing(path.dirname(target)).length > 0, 60_000);
  });

  it('lists every part with licence and hash', () => {
    const bill = JSON.parse(readFileSync(program('sbom.cdx.json'), 'utf8')) as {
      components: { name: string; licenses?: unknown[]; hashes?: unknown[] }[];
    };
    const names = bill.components.map(({ name }) => name);
    for (const name of ['node', 'windivert', 'koffi', '@koromix/koffi-win32-x64'])
      assert.ok(names.includes(name));
    const incomplete = bill.components.filter(
      (one) => one.licenses === undefined || one.hashes === undefined,
    );
    assert.deepEqual(incomplete, []);
    assert.ok(!names.some((name) => name.includes('linux')), names.join(' '));
  });

  it('does not go to a second folder', async () => {
    const { code, stdout } = await install('/D=C:\\other');
    assert.equal(code, 2);
    assert.match(stdout, /ftpseal is installed in C:\\Program Files\\ftpseal/);
    assert.equal(await state(), 'RUNNING');
    assert.ok(!existsSync(path.join(wine.driveC, 'other')));
  });

  it('asks the person in the manager, and keeps the key in the credential store', needsRoot, async () => {
    server = await startFtpsServer({ 'letter.txt': 'from the server' });
    await placeEdge(wine);
    const port = await freePort();
    const place = ['--runtime-dir', wine.windowsPath(path.join(wine.driveC, 'own', 'run'))];
    const proxyWords = ['proxy', '--listen', `127.0.0.1:${port}`, '--config', wine.patientConfig()];
    const proxy = wine.start(argvOf(...proxyWords, ...place));
    await proxy.said(/ftpseal proxy listens/, patience.timeoutMs);
    const tray = wine.start(argvOf('tray', ...place));
    running.push(proxy, tray);
    const words = [String(port), `${server.user}@127.0.0.1:${server.port}`, server.password, 'letter.txt'];
    const client = wine.start(wine.nodeArguments(wine.guestScript('ftp-client'), words));
    const said = () => `the question's window; the tray: ${tray.stderr()}; the client: ${client.stderr()}`;
    await waitFor(said, () => firstWindow(wine) !== '', patience.timeoutMs);
    browser = await browserInside(wine, patience.timeoutMs);
    const page = await browser.newPage();
    page.setDefaultTimeout(patience.timeoutMs);
    await page.goto(firstWindow(wine), { timeout: patience.timeoutMs });
    await page.getByRole('button', { name: 'Trust always' }).click();
    const { code, stdout, stderr } = await client.finish(patience.timeoutMs);
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { content: string }).content, 'from the server');
    const key = `key 127.0.0.1:${server.port} ${server.fingerprint}`;
    await waitFor('the key in the credential store', async () => (await credentials()).includes(key), 60_000);
    await browser.close();
  });

  it('replaces a version that runs, and ends every program of it', async () => {
    writeFileSync(program('dist/of-the-old-version.js'), '');
    writeFileSync(program('node_modules/of-the-old-version.js'), '');
    writeFileSync(program('ftpseal.cmd'), 'of the old version');
    writeFileSync(data('config.toml'), '[trust]\nprompt_timeout = "10m"\n');
    const left = wine.start([program('node.exe'), '-e', 'setInterval(() => undefined, 1000)']);
    await installed();
    for (const one of [left, ...running]) await one.finish(10_000);
    if (server !== undefined) assert.ok((await credentials()).includes(server.fingerprint));
    assert.ok(listing(program()).every((name) => !name.includes('of-the-old-version')));
    assert.match(readFileSync(program('ftpseal.cmd'), 'utf8'), /main\.js/);
    assert.equal(await state(), 'RUNNING');
    await ftpseal('status');
  });

  it('is removed without a trace but configuration and keys', async (t) => {
    await uninstall(program());
    await assertNoTrace(t, program());
    assert.ok(existsSync(data('config.toml')) && existsSync(data('state')));
    assert.ok(!existsSync(data('run')));
  });

  it('takes no folder that holds other things', async () => {
    mkdirSync(path.join(wine.driveC, 'mine'));
    writeFileSync(path.join(wine.driveC, 'mine', 'letter.txt'), 'mine');
    const { code, stdout } = await install('/D=C:\\mine');
    assert.equal(code, 2);
    assert.match(stdout, /There are other files in C:\\mine/);
    assert.deepEqual(listing(path.join(wine.driveC, 'mine')), ['letter.txt']);
  });

  it('goes where it is told to, and leaves with all it knew', async (t) => {
    const folder = path.join(wine.driveC, 'tools', 'FTP seal');
    // It stands last and without quotation marks; so these are two words here.
    await installed('/D=C:\\tools\\FTP', 'seal');
    assert.deepEqual(readdirSync(folder).sort(), entries);
    assert.equal(await state(), 'RUNNING');
    await uninstall(folder, '/PURGE');
    await assertNoTrace(t, folder);
    assert.ok(!existsSync(data()));
  });
});
