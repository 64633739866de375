// A run that is ended by a signal leaves no process behind, whatever its programs have forked.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { start, waitFor } from './harness/command.js';

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
