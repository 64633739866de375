// Transfers in protected blocks between real sockets: the client program, the pump over a block link, and a server that holds the
// other side's session.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { openBlocks } from '../../../daemon/relay/block-link.js';
import type { DataOutcome } from '../../../daemon/ftp/data-outcome.js';
import { pump } from '../../../daemon/relay/data-pump.js';
import type { TransferProtection } from '../../../daemon/security/safetp/safetp-session.js';
import { secured } from '../security/safetp/fixture.js';
import { connectClient, dial, listen, payload, readAll, type Listener } from './socket-fixture.js';

const { client, server: far } = secured();
const TRANSFER: TransferProtection = { level: 'P', fileSequence: 3, bufferSize: 32_768 };
const blocks = { reader: () => client.blockReader(TRANSFER), writer: () => client.blockWriter(TRANSFER) };
const file = payload(1_000_000);

interface Run {
  readonly outcome: Promise<DataOutcome>;
  /** The client program's end. */
  readonly program: net.Socket;
  readonly close: () => Promise<void>;
}

async function start(direction: 'download' | 'upload', use: (socket: net.Socket) => void): Promise<Run> {
  const server: Listener = await listen(net.createServer({ allowHalfOpen: true }, use));
  const { near, far: program, close } = await connectClient();
  const raw = await dial(server.port, 'bulk');
  const link = openBlocks(raw, { blocks, direction });
  const outcome = pump({ client: near, server: link, direction, onBytes: () => undefined });
  return {
    outcome,
    program,
    close: async () => {
      await close();
      await server.close();
    },
  };
}

function encoded(
  bytes: Buffer,
  over: Partial<TransferProtection> = {},
): { readonly body: Buffer; readonly end: Buffer } {
  const writer = far.blockWriter({ ...TRANSFER, ...over });
  return { body: Buffer.concat(writer.write(bytes)), end: Buffer.concat(writer.end()) };
}

describe('a download in blocks', () => {
  test('a file and an empty file arrive whole', async () => {
    for (const bytes of [file, Buffer.alloc(0), Buffer.from('x')]) {
      const { body, end } = encoded(bytes);
      const run = await start('download', (socket) => socket.end(Buffer.concat([body, end])).resume());
      const got = await readAll(run.program);
      assert.deepEqual(await run.outcome, { kind: 'complete', bytes: bytes.length });
      assert.ok(got.ended && got.bytes.equals(bytes));
      run.program.end();
      await run.close();
    }
  });
  test('a cut, an altered block, bytes behind the end and another transfer’s blocks give the client a reset', async () => {
    const { body, end } = encoded(file);
    const altered = Buffer.from(body);
    altered[500_000] = (altered[500_000] ?? 0) ^ 1;
    const other = encoded(file, { fileSequence: 4 });
    const streams = {
      cut: body,
      'cut in a block': body.subarray(0, 70_001),
      altered: Buffer.concat([altered, end]),
      'bytes behind the end': Buffer.concat([body, end, Buffer.from('x')]),
      'another transfer': Buffer.concat([other.body, other.end]),
      clear: file,
      nothing: Buffer.alloc(0),
    };
    for (const [what, stream] of Object.entries(streams)) {
      const run = await start('download', (socket) => socket.end(stream).resume());
      const got = await readAll(run.program);
      assert.equal((await run.outcome).kind, 'truncated', what);
      assert.equal(got.ended, false, what);
      assert.ok(file.subarray(0, got.bytes.length).equals(got.bytes), what);
      await run.close();
    }
  });
});

describe('an upload in blocks', () => {
  test('a file and an empty file arrive whole, and end with a block', async () => {
    for (const bytes of [file, Buffer.alloc(0), Buffer.from('x')]) {
      const reader = far.blockReader(TRANSFER);
      const got: Buffer[] = [];
      let broken = false;
      const run = await start('upload', (socket) => {
        socket.on('data', (piece) => {
          const read = reader.push(piece);
          got.push(...read.data);
          broken ||= read.kind === 'broken';
        });
        socket.on('end', () => socket.end());
      });
      run.program.resume().end(bytes);
      assert.deepEqual(await run.outcome, { kind: 'complete', bytes: bytes.length });
      assert.equal(broken, false);
      assert.ok(reader.ended && Buffer.concat(got).equals(bytes));
      await run.close();
    }
  });
  test('a client that breaks off sends no end', async () => {
    const reader = far.blockReader(TRANSFER);
    let onClosed: (() => void) | undefined;
    const closed = new Promise<void>((resolve) => (onClosed = resolve));
    const run = await start('upload', (socket) => {
      socket.on('data', (piece) => reader.push(piece));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        onClosed?.();
      });
    });
    run.program.write(file.subarray(0, 100_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    run.program.resetAndDestroy();
    assert.equal((await run.outcome).kind, 'clientGone');
    await closed;
    assert.equal(reader.ended, false);
    await run.close();
  });
  test('a server that talks back is no server of an upload', async () => {
    const run = await start('upload', (socket) => {
      socket.write('x'.repeat(100));
      socket.resume().on('error', () => undefined);
    });
    run.program.on('error', () => undefined).resume();
    run.program.write(file);
    assert.equal((await run.outcome).kind, 'serverGone');
    await run.close();
  });
});
