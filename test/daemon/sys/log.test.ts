import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { formatLine } from '../../../daemon/sys/log-record.js';
import { Log, logPath } from '../../../daemon/sys/log.js';
import { RotatingFile } from '../../../daemon/sys/rotating-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftpseal-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the log', () => {
  it('is JSON lines that only its owner may read', async () => {
    const log = new Log({ stateDir: folder, foreground: false, level: 'info' });
    log.info('hello', { server: 'a', n: 1 });
    log.debug('not this');
    log.close();
    const [line = '', rest] = (await readFile(logPath(folder), 'utf8')).split('\n');
    assert.deepEqual(
      { ...JSON.parse(line), time: 0, pid: 0 },
      { level: 'info', time: 0, pid: 0, message: 'hello', server: 'a', n: 1 },
    );
    assert.equal(rest, '');
    assert.equal((await stat(logPath(folder))).mode & 0o777, 0o600);
  });

  it('holds no field that could be a secret, and no forged line', async () => {
    const log = new Log({ stateDir: folder, foreground: false, level: 'debug' });
    log.info('login', { password: 'hunter2', pass: 'hunter2', server: 'a\n{"level":"error"}' });
    log.close();
    const text = await readFile(logPath(folder), 'utf8');
    assert.ok(!text.includes('hunter2'));
    assert.equal(text.trimEnd().split('\n').length, 1);
  });

  it('shows entries to people in the foreground, without what could be a secret, each in one line', (t) => {
    const shown: string[] = [];
    t.mock.method(process.stderr, 'write', (text: string) => shown.push(text) > 0);
    const log = new Log({ stateDir: undefined, foreground: true, level: 'info' });
    log.debug('not of this level');
    log.info('login', { password: 'hunter2', server: 'a\nb', n: 1 });
    log.close();
    t.mock.restoreAll();
    assert.equal(shown.length, 1);
    assert.match(shown[0] ?? '', /^[0-9-]{10} [0-9:]{8} info {2}login password=\*{4} server=a\?b n=1\n$/);
  });

  it('gives its last lines back', async () => {
    const log = new Log({ stateDir: folder, foreground: false, level: 'info' });
    for (let n = 0; n < 10; n++) log.info(`entry ${n}`);
    const tail = await log.tail(3);
    assert.deepEqual(
      tail.map((line) => /entry [0-9]/.exec(line)?.[0]),
      ['entry 7', 'entry 8', 'entry 9'],
    );
    assert.deepEqual(await log.tail(0), []);
    log.close();
  });

  it('is read by people as one line each', () => {
    const line = '{"level":"warn","time":0,"pid":7,"message":"key refused","server":"a b","n":3}';
    assert.equal(formatLine(line), '1970-01-01 00:00:00 warn  key refused server="a b" n=3');
    assert.equal(formatLine('no json'), 'no json');
  });
});

describe('a rotating file', () => {
  it('never grows beyond its bound and keeps as many old ones as it may', async () => {
    const path = join(folder, 'x.log');
    const file = new RotatingFile(path, { maxBytes: 100, keep: 2 });
    for (let n = 0; n < 50; n++) file.write(`line ${String(n).padStart(3, '0')} ${'.'.repeat(20)}\n`);
    file.close();
    assert.deepEqual((await readdir(folder)).sort(), ['x.log', 'x.log.1', 'x.log.2']);
    for (const name of await readdir(folder)) assert.ok((await stat(join(folder, name))).size <= 100);
    assert.match(await readFile(path, 'utf8'), /line 049/);
    assert.match(await readFile(`${path}.1`, 'utf8'), /line 04[0-9]/);
  });

  it('stays bounded when a file can’t be moved away', async () => {
    const path = join(folder, 'x.log');
    // A folder with something in it is no place to move a file to.
    await mkdir(join(`${path}.1`, 'full'), { recursive: true });
    const file = new RotatingFile(path, { maxBytes: 100, keep: 2 });
    await mkdir(join(`${path}.2`, 'full'), { recursive: true });
    for (let n = 0; n < 50; n++) file.write(`line ${n}\n`);
    file.close();
    assert.ok((await stat(path)).size <= 200);
    assert.match(await readFile(path, 'utf8'), /^line 0\n/);
  });

  it('goes on in a file that is there', async () => {
    const path = join(folder, 'x.log');
    for (const text of ['a\n', 'b\n']) {
      const file = new RotatingFile(path, { maxBytes: 100, keep: 1 });
      file.write(text);
      file.close();
    }
    assert.equal(await readFile(path, 'utf8'), 'a\nb\n');
  });

  it('on a full disk loses lines and nothing else, says so once, and goes on when there is room', async () => {
    const path = join(folder, 'x.log');
    await symlink('/dev/full', path);
    const said: unknown[] = [];
    const file = new RotatingFile(path, { maxBytes: 100, keep: 1 }, (trouble) => said.push(trouble));
    for (const text of ['a\n', 'b\n']) file.write(text);
    assert.deepEqual(said, [{ kind: 'losing', reason: 'the disk is full' }]);
    await rm(path);
    file.write('c\n');
    assert.deepEqual(said.slice(1), [{ kind: 'over', lost: 2 }]);
    file.close();
    file.write('d\n');
    assert.equal(await readFile(path, 'utf8'), 'c\n');
  });

  it('that can’t be opened is no error, and is opened when it can', async () => {
    await writeFile(join(folder, 'log'), 'a file in the folder’s place');
    const log = new Log({ stateDir: folder, foreground: false, level: 'info' });
    assert.match(log.trouble() ?? '', /^The log .* can’t be written \(.*\): lines are lost until it can\.$/);
    log.info('lost');
    await rm(join(folder, 'log'));
    log.info('kept');
    assert.equal(log.trouble(), undefined);
    log.close();
    const messages = (await readFile(logPath(folder), 'utf8')).trim().split('\n');
    assert.deepEqual(
      messages.map((line) => (JSON.parse(line) as { message: string }).message),
      ['kept', 'the log can be written again; lines were lost'],
    );
  });
});
