// In processes of their own, because a collection is the whole thread's matter.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const module = new URL('../../../daemon/sys/memory-return.js', import.meta.url).href;
const canGiveBack = Number.parseInt(process.versions.v8, 10) >= 13;

function run(script: string): string {
  const whole = `import { returnMemory } from ${JSON.stringify(module)}; ${script}`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', whole], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout;
}

test('nothing is said, and no later context can collect', () => {
  const script = `
    import { runInNewContext } from 'node:vm';
    returnMemory();
    returnMemory();
    console.log(runInNewContext('typeof gc'));`;
  assert.equal(run(script), 'undefined\n');
});

test(
  'what is dead is no part of the heap any more',
  canGiveBack ? {} : { skip: 'a Node whose V8 does this by itself' },
  () => {
    const script = `
      import { getHeapStatistics } from 'node:v8';
      const size = () => getHeapStatistics().total_physical_size;
      globalThis.kept = Array.from({ length: 500_000 }, (_, number) => ({ number }));
      const before = size();
      globalThis.kept = undefined;
      returnMemory();
      console.log(before - size() > 10_000_000);`;
    assert.equal(run(script), 'true\n');
  },
);
