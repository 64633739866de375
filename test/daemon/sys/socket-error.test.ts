import assert from 'node:assert/strict';
import { once } from 'node:events';
import type net from 'node:net';
import { describe, test } from 'node:test';
import { endedByReset } from '../../../daemon/sys/socket-error.js';
import { connectClient } from '../relay/socket-fixture.js';

const isLinux = process.platform === 'linux';

/** Reads to what Node calls the end; undefined if it called it an error. */
async function readToEnd(near: net.Socket): Promise<{ bytes: number; byReset: boolean } | undefined> {
  let bytes = 0;
  near.on('data', (part: Buffer) => (bytes += part.length));
  near.on('error', () => undefined);
  near.resume();
  return new Promise((resolve) => {
    near.once('end', () => {
      resolve({ bytes, byReset: endedByReset(near) });
    });
    near.once('close', () => {
      resolve(undefined);
    });
  });
}

describe('how a connection really ended', { skip: !isLinux && 'Linux asks the kernel' }, () => {
  test('a FIN is a FIN', async () => {
    const { near, far, close } = await connectClient();
    far.end('some bytes');
    assert.deepEqual(await readToEnd(near), { bytes: 10, byReset: false });
    await close();
  });

  test('a reset right behind the last bytes, which Node calls an end', async () => {
    const { near, far, close } = await connectClient();
    far.write('some bytes');
    const gone = once(far, 'close');
    far.resetAndDestroy();
    await gone;
    // If this Node reports an error instead, the work-around has become unnecessary.
    assert.deepEqual(await readToEnd(near), { bytes: 10, byReset: true });
    await close();
  });

  test('a closed socket can’t be asked', async () => {
    const { near, close } = await connectClient();
    near.destroy();
    assert.equal(endedByReset(near), false);
    await close();
  });
});
