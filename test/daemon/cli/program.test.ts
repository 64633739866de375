// The program as people run it: a process of its own, its exit codes, its output, against a real IPC server.
import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { failWhenUnsettled } from '../../unsettled.js';
import { skipUnlessRoot } from '../ipc/raw-caller.js';
import { makeWorld, sessionState, type TestWorld } from '../ipc/world.js';
import {
  at,
  certificatePem,
  connection,
  key,
  keyFingerprint,
  keyQuestion,
  pin,
  policy,
} from '../trust/fixture.js';

const main = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url));

let world: TestWorld;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ftpseal(argv: readonly string[], input = ''): Promise<Result> {
  const child = spawn(process.execPath, [main, ...argv]);
  failWhenUnsettled(child, [process.execPath, ...argv]);
  child.stdin.end(input);
  return finished(child);
}

function finished(child: ChildProcessWithoutNullStreams): Promise<Result> {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** With the daemon of this test. */
const asked = (argv: readonly string[], input?: string) =>
  ftpseal([...argv, '--runtime-dir', world.folder], input);

describe('exit codes', () => {
  it('0 for done and help, 2 for wrong usage', async () => {
    assert.equal((await asked(['status'])).code, 0);
    assert.equal((await ftpseal(['--help'])).code, 0);
    assert.equal((await ftpseal(['keys', 'add', '--help'])).code, 0);
    for (const wrong of [['nix'], ['status', '--nix'], ['keys', 'add'], ['log', '-n', 'x']]) {
      const result = await ftpseal(wrong);
      assert.equal(result.code, 2, wrong.join(' '));
      assert.notEqual(result.stderr, '');
    }
    assert.equal((await asked(['keys', 'show', 'a b'])).code, 2);
    assert.equal((await asked(['prompts', '--answer', 'abc', 'yes'])).code, 2);
  });

  it('of status --check say how it is, and --json has the same in words', async () => {
    const good = world.state.now;
    const health = async () => {
      const { code, stdout } = await asked(['status', '--check', '--json']);
      return [code, (JSON.parse(stdout) as { health: string }).health];
    };
    assert.deepEqual(await health(), [0, 'ok']);
    world.state.now = { ...good, keysFolder: { ...good.keysFolder, troubles: ['keys.d/a.json is wrong.'] } };
    assert.deepEqual(await health(), [6, 'attention']);
    assert.equal((await asked(['status'])).code, 0, 'without --check the answer itself is what counts');
    world.state.now = { ...good, redirect: { kind: 'failed', sentence: 'nft says no' } };
    assert.deepEqual(await health(), [5, 'failed']);
    world.state.now = { ...good, workers: good.workers.map((worker) => ({ ...worker, alive: false })) };
    assert.deepEqual(await health(), [5, 'failed']);
    world.state.now = good;
    assert.equal(
      (await ftpseal(['status', '--check', '--runtime-dir', join(world.folder, 'nowhere')])).code,
      3,
    );
  });

  it('3 without a daemon, with a sentence that says what to do', async () => {
    const result = await ftpseal(['status', '--runtime-dir', join(world.folder, 'nowhere')]);
    assert.equal(result.code, 3);
    assert.match(result.stderr, /^ftpseal: No ftpseal daemon answers .*sudo ftpseal daemon\n$/);
  });

  it('1 for what fails', async () => {
    assert.equal((await asked(['keys', 'remove', 'a.test'])).code, 1);
    assert.equal((await asked(['doctor', '127.0.0.1:1'])).code, 1);
  });

  it('2 for the explicit proxy at a place that is none', async () => {
    assert.equal((await ftpseal(['proxy', '--listen', 'nowhere'])).code, 2);
  });
});

describe('check', () => {
  it('names file, line, key and what is allowed', async () => {
    const file = join(world.folder, 'config.toml');
    await writeFile(file, '[trust]\nunknown = "maybe"\n');
    const wrong = await ftpseal(['check', file]);
    assert.equal(wrong.code, 1);
    assert.ok(wrong.stderr.includes(`${file}:2: trust.unknown must be "ask" or "accept-new" or "refuse"`));
    await writeFile(file, '[trust]\nunknown = "refuse"\n');
    const right = await ftpseal(['check', file, '--json']);
    assert.equal(right.code, 0);
    assert.equal(
      (JSON.parse(right.stdout) as { config: { trust: { unknown: string } } }).config.trust.unknown,
      'refuse',
    );
  });
});

describe('keys', () => {
  it('from a PEM on standard input, shown, revoked, exported, removed, imported', async () => {
    const added = await asked(['keys', 'add', '192.0.2.1', '-', '--comment', 'from bob'], certificatePem);
    assert.equal(added.code, 0, added.stderr);
    assert.ok(added.stdout.includes(keyFingerprint));
    const shown = await asked(['keys', 'show', '192.0.2.1']);
    assert.ok(shown.stdout.includes('from bob'));
    assert.equal((await asked(['keys', 'revoke', keyFingerprint])).code, 0);
    assert.match((await asked(['keys', 'list'])).stdout, /REVOKED/);
    const file = join(world.folder, 'export.json');
    assert.equal((await asked(['keys', 'export', file])).code, 0);
    assert.ok((await readFile(file, 'utf8')).includes(keyFingerprint));
    assert.equal((await asked(['keys', 'remove', '192.0.2.1', keyFingerprint])).code, 0);
    assert.match((await asked(['keys', 'list'])).stdout, /No keys/);
    assert.match((await asked(['keys', 'import', file])).stdout, /^1 keys added/);
    const [saved] = (await world.store.contents()).pins;
    assert.equal(saved?.revoked, true);
  });

  it('of a name keep the name and every address that it has', async () => {
    assert.equal((await asked(['keys', 'add', 'localhost:2121', key('a')])).code, 0);
    const { pins } = await world.store.contents();
    assert.ok(pins.length > 0);
    assert.ok(pins.every((one) => one.name === 'localhost' && one.port === 2121));
  });

  it('of a name without address need one', async () => {
    const argv = ['keys', 'add', 'no-such-host.invalid', key('a')];
    assert.equal((await asked(argv)).code, 1);
    assert.equal((await asked([...argv, '--address', '192.0.2.5'])).code, 0);
    assert.equal((await world.store.contents()).pins[0]?.address, '192.0.2.5');
  });

  it('refuse a private key, and what is no key file', async () => {
    assert.match(
      (await asked(['keys', 'add', '192.0.2.1', '-'], '-----BEGIN PRIVATE KEY-----\n')).stderr,
      /private key/,
    );
    assert.equal((await asked(['keys', 'import', '-'], '{"version":1}')).code, 1);
    assert.deepEqual((await world.store.contents()).pins, []);
  });
});

describe('pause and resume', () => {
  it('are the caller’s own, with a bound', async () => {
    const paused = await asked(['pause', '--minutes', '5']);
    assert.match(paused.stdout, /^Paused until .*not encrypted\. End it with: ftpseal resume/);
    assert.match((await asked(['status'])).stdout, /Warning +Paused by you for 5 more min/);
    assert.match((await asked(['resume'])).stdout, /encrypted again/);
    assert.doesNotMatch((await asked(['status'])).stdout, /Paused/);
    for (const minutes of ['0', '61', 'x'])
      assert.equal((await asked(['pause', '--minutes', minutes])).code, 2);
  });
});

describe('sessions and prompts', () => {
  it('are listed for people and as JSON', async () => {
    world.sessions.put(0, sessionState('0-1', 1000, { protection: 'cleartext' }));
    assert.match((await asked(['sessions'])).stdout, /0-1 +192\.0\.2\.1 +tnftp +NOT ENCRYPTED/);
    const json = JSON.parse((await asked(['sessions', '--json'])).stdout) as {
      sessions: { state: { id: string } }[];
    };
    assert.equal(json.sessions[0]?.state.id, '0-1');
    assert.equal((await asked(['sessions', '--close', '0-1'])).code, 0);
    assert.deepEqual(world.closed, ['0-1']);
    assert.match((await asked(['status'])).stdout, /1 NOT ENCRYPTED[^]*Warning/);
  });

  it('a question is answered from the command line', async () => {
    const decision = world.trust.judge(
      's',
      connection({ server: at('192.0.2.1') }),
      policy(),
      keyQuestion(key('a')),
    );
    const listed = await asked(['prompts']);
    const id = /Question +([0-9a-f]{6})/.exec(listed.stdout)?.[1];
    assert.ok(id, listed.stdout);
    const wrong = await asked(['prompts', '--answer', id, key('b')]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /does not match/);
    const right = await asked(['prompts', '--answer', id, key('a')]);
    assert.equal(right.code, 0, right.stderr);
    assert.equal((await decision).kind, 'allow');
    assert.match((await asked(['prompts'])).stdout, /No open questions/);
  });

  it('the log comes as lines for people and as JSON', async () => {
    world.log.info('hello', { server: 'x' });
    assert.match((await asked(['log'])).stdout, /info +hello server=x/);
    assert.match((await asked(['log', '--json'])).stdout, /"message":"hello"/);
  });
});

describe('as another user', () => {
  it('the daemon says no with exit code 4', skipUnlessRoot, async (t) => {
    await world.store.putPin(pin());
    const staged = await mkdtemp(join(tmpdir(), 'ftpseal-cli-'));
    t.after(() => rm(staged, { recursive: true, force: true }));
    const readable = await stage(join(staged, 'program'));
    await chmod(staged, 0o755);
    const argv = ['--reuid=12345', '--regid=12345', '--clear-groups', process.execPath, readable];
    const result = await finished(
      spawn('setpriv', [...argv, 'log', '--runtime-dir', world.folder], { cwd: '/' }),
    );
    assert.equal(result.code, 4, result.stderr);
  });
});

/** A copy of the program that every user can read: the checkout may lie in a folder that nobody else may enter. */
async function stage(folder: string): Promise<string> {
  const script = fileURLToPath(new URL('../../../../installers/dev/stage.mjs', import.meta.url));
  const result = await finished(spawn(process.execPath, [script, folder]));
  assert.equal(result.code, 0, result.stderr);
  return join(folder, 'dist', 'daemon', 'main.js');
}
