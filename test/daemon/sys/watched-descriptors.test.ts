import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { DirectEnd } from '../../../daemon/relay/direct/direct-end.js';
import {
  newDescriptorTable,
  shareDescriptors,
  silenceDescriptors,
} from '../../../daemon/sys/watched-descriptors.js';
import { dial, listen } from '../relay/socket-fixture.js';

const unless = process.platform === 'linux' ? {} : { skip: 'descriptors are read directly on Linux alone' };

/** Connects to a port, waits for its bytes by a descriptor of its own, tells that, and then hangs or throws. */
async function watchAndBreak({
  port,
  table,
  how,
}: {
  readonly port: number;
  readonly table: SharedArrayBuffer;
  readonly how: string;
}): Promise<void> {
  shareDescriptors(table);
  const end = DirectEnd.on(await dial(port, 'bulk'));
  if (end === undefined) throw new Error('no descriptor');
  end.use({
    onReady: () => {
      if (how === 'throws when it is told') throw new Error('the test wants it');
    },
    onGone: () => undefined,
  });
  parentPort?.postMessage(end.fd);
  end.want('readable');
  if (how === 'throws when it is told') return;
  setTimeout(() => {
    if (how === 'throws') throw new Error('the test wants it');
    for (;;);
  }, 20);
}

async function breakWorker(how: 'hangs' | 'throws' | 'throws when it is told'): Promise<void> {
  const server = await listen(net.createServer((socket) => socket.write('ready to be read')));
  const table = newDescriptorTable();
  const worker = new Worker(new URL(import.meta.url), { workerData: { port: server.port, table, how } });
  const errors: string[] = [];
  worker.on('error', (error) => errors.push(error.message));
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  const fd = await new Promise<number>((resolve) => worker.once('message', resolve));
  if (how === 'hangs') {
    assert.match(readlinkSync(`/proc/self/fd/${fd}`), /socket/);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const close = silenceDescriptors(table);
    await worker.terminate();
    close();
    silenceDescriptors(table)();
  } else {
    await exit;
    assert.deepEqual(errors, ['the test wants it']);
  }
  assert.throws(() => readlinkSync(`/proc/self/fd/${fd}`), /ENOENT/);
  await server.close();
}

if (isMainThread) {
  // Without it koffi's poll handle ends the process: it reports to a thread whose JavaScript is over.
  test('a thread that hangs over a descriptor is ended, and the process lives on', unless, () =>
    breakWorker('hangs'),
  );
  test('a thread that fails lets go of its descriptors itself', unless, () => breakWorker('throws'));
  // koffi would drop the error, and the connection would stand still for ever.
  test('a mistake where readiness is told ends the thread like any other', unless, () =>
    breakWorker('throws when it is told'),
  );
} else {
  void watchAndBreak(workerData as Parameters<typeof watchAndBreak>[0]);
}
