// The socket that asks the kernel belongs to the thread that asked first, and ends with it.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { findSocketsTo } from '../../../daemon/sys/sock-diag.js';
import { endpoint } from '../divert/plan-fixture.js';

const deaths = ['by itself', 'by an error'] as const;
const descriptors = (): number => readdirSync('/proc/self/fd').length;

if (!isMainThread) {
  findSocketsTo(endpoint('127.0.0.1', 1));
  parentPort?.postMessage('asked');
  if (workerData === 'by an error') throw new Error('the test wants it');
} else {
  for (const death of deaths) {
    test(`a worker thread that ends ${death} leaves no descriptor`, async () => {
      await threadThatAsks(death); // what Node itself opens with the first one
      const before = descriptors();
      for (let count = 0; count < 5; count += 1) await threadThatAsks(death);
      assert.equal(descriptors(), before);
    });
  }
}

async function threadThatAsks(death: (typeof deaths)[number]): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: death });
  let heard: unknown;
  worker.on('message', (message: unknown) => (heard = message)).on('error', () => undefined);
  await new Promise((resolve) => worker.once('exit', resolve));
  assert.equal(heard, 'asked');
}
