// The flags are ones that this Node knows: of others it complains on standard error and goes on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('V8 knows every flag that it is given', () => {
  const module = new URL('../../../daemon/sys/garbage-collector.js', import.meta.url).href;
  const script = `import { freeBuffersPromptly } from ${JSON.stringify(module)}; freeBuffersPromptly();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, '']);
});
