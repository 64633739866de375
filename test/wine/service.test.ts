// The daemon as a service of Windows: installed, started and stopped by the service manager, with the proxy as its child. Wine loads no
// driver, so nothing is redirected, and the service has to say so.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { waitFor } from '../lab/harness/command.js';
import { textOf, Wine } from './harness/wine.js';

describe('the service on Windows', () => {
  let wine: Wine;
  const state = async (): Promise<string> => {
    const { stdout } = await wine.run(['sc', 'query', 'ftpseal']);
    return /STATE\s+: \d+\s+(\w+)/.exec(stdout)?.[1] ?? 'none';
  };
  const ftpseal = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await wine.ftpseal(args, { timeoutMs: 90_000 });
    assert.equal(code, 0, `${stderr}\n${serviceLog()}`);
    return stdout;
  };
  const inData = (...parts: string[]): string => path.join(wine.driveC, 'ProgramData', 'ftpseal', ...parts);
  const serviceLog = (): string => textOf(inData('state', 'log', 'service.log'));

  before(() => {
    wine = Wine.open();
    wine.stayAwake();
  });
  after(() => wine.close());

  it('is installed with its whole command line, once', async () => {
    assert.equal(await state(), 'none');
    await ftpseal('service', 'install');
    await ftpseal('service', 'install');
    const key = 'HKLM\\System\\CurrentControlSet\\Services\\ftpseal';
    const { stdout } = await wine.run(['reg', 'query', key]);
    const main = wine.windowsPath(path.join(wine.program, 'dist/daemon/main.js'));
    assert.ok(stdout.includes(`"${wine.windowsPath(wine.nodeExe)}" "${main}" "service" "run"`), stdout);
    assert.match(stdout, /Start\s+REG_DWORD\s+0x2/);
    assert.equal(await state(), 'STOPPED');
  });

  it('is not run by a person', async () => {
    const { code, stderr } = await wine.ftpseal(['service', 'run']);
    assert.equal(code, 2);
    assert.match(stderr, /Windows starts this as a service/);
  });

  it('starts, stays although nothing can be redirected, and says so to whoever asks', async () => {
    await ftpseal('service', 'start');
    assert.equal(await state(), 'RUNNING');
    const status = JSON.parse(await ftpseal('status', '--json')) as {
      mode: string;
      redirect: { kind: string; sentence?: string };
      workers: { alive: boolean }[];
    };
    assert.equal(status.mode, 'redirect');
    assert.equal(status.redirect.kind, 'failed', JSON.stringify(status));
    assert.ok(status.workers.every(({ alive }) => alive));
  });

  it('is found by doctor, with what is missing', async () => {
    const { code, stdout } = await wine.ftpseal(['doctor', '--json'], { timeoutMs: 90_000 });
    assert.equal(code, 1);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; state: string; text: string }[] };
    const stateOf = (check: string) => findings.find((one) => one.check === check)?.state;
    assert.equal(stateOf('service'), 'ok', stdout);
    assert.equal(stateOf('state folder'), 'ok', stdout);
    assert.equal(stateOf('driver'), 'fail', stdout);
    assert.equal(stateOf('redirect'), 'fail', stdout);
    assert.equal(stateOf('ports'), 'ok', stdout);
    assert.equal(stateOf('daemon'), 'ok', stdout);
  });

  it('is one, whoever starts another', async () => {
    const { code, stderr } = await wine.ftpseal(['daemon', '--foreground'], { timeoutMs: 60_000 });
    assert.equal(code, 2);
    assert.match(stderr, /Another ftpseal daemon runs/);
  });

  it('stops with its proxy, and leaves no place where callers would look for it', async () => {
    await ftpseal('service', 'stop');
    assert.equal(await state(), 'STOPPED');
    await waitFor('the proxy to end', () => !existsSync(inData('run', 'ftpseal.sock')));
    const { code, stderr } = await wine.ftpseal(['status']);
    assert.equal(code, 3);
    assert.match(stderr, /Start the service/);
  });

  it('is removed', async () => {
    await ftpseal('service', 'remove');
    assert.equal(await state(), 'none');
  });
});
