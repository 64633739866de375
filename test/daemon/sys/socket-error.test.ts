import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import { endedByReset } from '../../../daemon/sys/socket-error.js';
import { connectClient, dial, listen, type Kind, type Pair } from '../relay/socket-fixture.js';
import { receive } from '../../../daemon/relay/bulk-socket.js';

const isLinux = process.platform === 'linux';

/** More than the kernel takes for a reader who does not read. */
const TOO_MUCH_BYTES = 32 * 1024 * 1024;

interface Ended {
  readonly bytes: number;
  readonly kind: 'regular' | 'reset' | 'error';
}

/** Reads to what Node calls the end, or an error. */
async function readToEnd(near: net.Socket): Promise<Ended> {
  let bytes = 0;
  near.on('error', () => undefined);
  const kind = new Promise<Ended['kind']>((resolve) => {
    near.once('end', () => {
      resolve(endedByReset(near) ? 'reset' : 'regular');
    });
    near.once('close', () => {
      resolve('error');
    });
  });
  receive(near, (part) => {
    bytes += part.length;
    return 'done';
  });
  return { kind: await kind, bytes };
}

async function withClient(run: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await connectClient();
  try {
    await run(pair);
  } finally {
    pair.far.destroy();
    await pair.close();
  }
}

/**
 * The reset shows while the socket is only written to, and another one that is told of in the same turn of the event loop, before it,
 * has it read again: a transfer that goes on once its other side has drained. Here Node 24 too calls the reset an end.
 */
async function readAgainInTheTurnOfTheReset(kind: Kind): Promise<Ended> {
  const accepted: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
    accepted.push(socket),
  );
  const listener = await listen(server);
  const near = await dial(listener.port, kind);
  const other = await dial(listener.port);
  try {
    while (accepted.length < 2) await once(server, 'connection');
    const [far, farOther] = accepted;
    assert.ok(far !== undefined && farOther !== undefined);
    near.pause().write(Buffer.alloc(TOO_MUCH_BYTES), () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = new Promise<Ended>((resolve) => {
      other.once('data', () => {
        resolve(readToEnd(near));
      });
    });
    await new Promise((resolve) => setImmediate(resolve));
    farOther.write('!');
    far.write('some bytes');
    far.resetAndDestroy();
    return await ended;
  } finally {
    near.destroy();
    other.destroy();
    await listener.close();
  }
}

describe('how a connection really ended', { skip: !isLinux && 'Linux asks the kernel' }, () => {
  test('a FIN is a FIN', async () => {
    await withClient(async ({ near, far }) => {
      far.end('some bytes');
      assert.deepEqual(await readToEnd(near), { kind: 'regular', bytes: 10 });
    });
  });

  // Node 20 calls it an end; libuv of Node 24 reads once more, and gets the error.
  test('a reset right behind the last bytes is no regular end', async () => {
    await withClient(async ({ near, far }) => {
      far.write('some bytes');
      const gone = once(far, 'close');
      far.resetAndDestroy();
      await gone;
      const ended = await readToEnd(near);
      assert.equal(ended.bytes, 10);
      assert.notEqual(ended.kind, 'regular');
    });
  });

  for (const kind of ['ordinary', 'bulk'] as const) {
    test(`${kind}: nor is one that comes while the socket only writes`, async () => {
      assert.notEqual((await readAgainInTheTurnOfTheReset(kind)).kind, 'regular');
    });
  }

  test('a closed socket can’t be asked', async () => {
    await withClient(({ near }) => {
      near.destroy();
      assert.equal(endedByReset(near), false);
      return Promise.resolve();
    });
  });
});
