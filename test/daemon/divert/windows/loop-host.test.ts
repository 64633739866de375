// A loop's end, in a process that has nothing else to do: it waits for its thread.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const host = new URL('../../../../daemon/divert/windows/loop-host.js', import.meta.url).href;
/** It takes a while until it ends, like one that carries out what is still queued. */
const thread = `data:text/javascript,${encodeURIComponent(
  `import { workerData } from 'node:worker_threads';
   workerData.port.once('message', () => setTimeout(() => workerData.port.close(), 300));`,
)}`;
const program = `
import { LoopHost } from ${JSON.stringify(host)};
const nothing = () => undefined;
const closed = () => console.log('closed');
const means = { entry: new URL(${JSON.stringify(thread)}), data: {}, wake: nothing, release: nothing };
await new LoopHost({ ...means, close: closed, onFailure: nothing, ownBy: 'port' }).stop();
console.log('stopped');
`;

test('stop waits for the thread, also where nothing else keeps the process', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'closed\nstopped\n');
});
