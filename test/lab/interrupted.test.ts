// A run that is ended by a signal leaves no process behind, whatever its programs have forked; and what it had found is kept.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, start, waitFor } from './harness/command.js';

const network = new URL('harness/network.js', import.meta.url).href;
const command = new URL('harness/command.js', import.meta.url).href;

/** Opens hosts of its own, and starts a program there whose child is in a session, and so in a process group, of its own. */
const program = `
  const { openNetwork } = await import(${JSON.stringify(network)});
  const { must, start } = await import(${JSON.stringify(command)});
  const { pc } = await openNetwork();
  const forked = start({ namespace: pc }, ['sh', '-c', 'exec setsid --fork sleep 600 > /dev/null 2>&1']);
  await forked.ended;
  const pids = await must({}, ['ip', 'netns', 'pids', pc]);
  console.log(JSON.stringify({ pc, pid: Number(pids) }));
  setInterval(() => undefined, 60_000);
`;

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  test(`${signal}: nothing of it runs on, and its hosts are gone`, async () => {
    const running = start({}, [process.execPath, '--input-type=module', '--eval', program]);
    await waitFor(
      () => running.stderr(),
      () => running.stdout().endsWith('\n') || running.child.exitCode !== null,
    );
    const { pc, pid } = JSON.parse(running.stdout()) as { readonly pc: string; readonly pid: number };
    assert.match(readFileSync(`/proc/${pid}/comm`, 'utf8'), /sleep/);
    running.child.kill(signal);
    assert.notEqual(await running.ended, 0);
    await waitFor('the forked program’s end', () => !existsSync(`/proc/${pid}`));
    assert.equal(existsSync(`/run/netns/${pc}`), false);
  });

test('a benchmark that is interrupted keeps what it has measured, says where, and leaves its other pages alone', async () => {
  const out = mkdtempSync(path.join(tmpdir(), 'ftpseal-bench-'));
  const main = fileURLToPath(new URL('../bench/main.js', import.meta.url));
  const running = start({}, [
    ...[process.execPath, main, '--quick', '--rounds', '50', '--only', 'tunnel', '--contenders', 'plain'],
    ...['--out', out],
  ]);
  try {
    await waitFor(
      () => running.stderr(),
      () => running.stderr().includes('round 2/50') || running.child.exitCode !== null,
    );
    running.child.kill('SIGINT');
    assert.equal(await running.ended, 1);
    const file = path.join(out, 'tunnel-unfinished.json');
    assert.match(running.stderr(), /round 2\/50 .* left: about /);
    assert.match(running.stderr(), /tunnel: not finished; \d+ measurements, up to round \d+, are kept in /);
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { readonly samples: readonly { round: number }[] };
    assert.ok(kept.samples.some(({ round }) => round === 1));
    assert.equal(existsSync(path.join(out, 'tunnel.json')), false);
    const left = (await run({}, ['ip', 'netns', 'list'])).stdout;
    assert.doesNotMatch(left, new RegExp(`-${running.pid}\\b`));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
