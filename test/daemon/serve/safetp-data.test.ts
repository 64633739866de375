// Data in blocks through the whole server proxy, over real sockets: files both ways at each level, and the attacks on them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import type { BlockWriter } from '../../../daemon/security/safetp/data-blocks.js';
import type { DataLevel } from '../../../daemon/security/safetp/header.js';
import { loadServeConfig } from '../../../daemon/serve/serve-config-load.js';
import { openSafetpOffer } from '../../../daemon/serve/safetp-offer.js';
import { ServeServer } from '../../../daemon/serve/serve-server.js';
import { Log } from '../../../daemon/sys/log.js';
import { parseEndpoint } from '../../../shared/endpoint.js';
import { payload, readAll } from '../relay/socket-fixture.js';
import { LONG_BYTES, startBackend, type PlainBackend } from './plain-backend.js';
import { SafetpCaller } from './safetp-caller.js';

const file = payload(700_001);
const log = new Log({ stateDir: undefined, foreground: false, level: 'error' });
const open: SafetpCaller[] = [];
let folder: string;
let backend: PlainBackend;
let server: ServeServer;
let port: number;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'ftpseal-serve-'));
  backend = await startBackend(file);
  ({ server, port } = await startServe({}));
});

afterEach(() => {
  for (const caller of open.splice(0)) caller.socket.destroy();
});

after(async () => {
  await server.stop(0);
  await backend.close();
  await rm(folder, { recursive: true, force: true });
});

/** A server proxy that offers X-SafeTP1 alone, and so needs no certificate. */
async function startServe(
  flags: Readonly<Record<string, unknown>>,
): Promise<{ readonly server: ServeServer; readonly port: number }> {
  const config = await loadServeConfig('/dev/null', {
    ...{ backend: `127.0.0.1:${backend.port}`, mechanisms: ['X-SafeTP1'] },
    ...{ safetp_key: path.join(folder, 'safetp.pem'), brand: 'ftp.example.org', ...flags },
  });
  const safetp = await openSafetpOffer(config, log);
  const started = new ServeServer({ config, credentials: undefined, safetp, log });
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: free } = probe.address() as net.AddressInfo;
  probe.close();
  await once(probe, 'close');
  const endpoint = parseEndpoint(`127.0.0.1:${free}`);
  assert.ok(endpoint !== undefined);
  await started.listen({ kind: 'endpoint', endpoint, implicit: false });
  return { server: started, port: free };
}

async function ready(level: 'C' | DataLevel = 'P', bufferSize?: number): Promise<SafetpCaller> {
  const caller = await SafetpCaller.ready(port, level, bufferSize);
  open.push(caller);
  return caller;
}

/** Fetches the file; what came over the wire, and what it was. */
async function fetch(caller: SafetpCaller, level: DataLevel, bufferSize: number) {
  const data = await caller.passive();
  const number = caller.say('RETR file');
  assert.match(await caller.reply(), /^150 /);
  const { bytes } = await readAll(data);
  data.end();
  const reader = caller.session.blockReader({ level, fileSequence: number, bufferSize });
  const read = reader.push(bytes);
  return { wire: bytes, content: Buffer.concat(read.data), ended: reader.ended, final: await caller.reply() };
}

/** Sends what `make` writes as an upload; the final reply and what the backend got. */
async function store(
  caller: SafetpCaller,
  make: (writer: BlockWriter) => Buffer,
  { level = 'P', how = 'FIN' }: { readonly level?: DataLevel; readonly how?: 'FIN' | 'RST' | 'stay' } = {},
) {
  const from = backend.stored.length;
  const data = await caller.passive();
  const fileSequence = caller.say('STOR up');
  assert.match(await caller.reply(), /^150 /);
  const bytes = make(caller.session.blockWriter({ level, fileSequence, bufferSize: 32_768 }));
  if (how === 'RST') data.write(bytes, () => data.resetAndDestroy());
  else if (how === 'FIN') data.end(bytes);
  else data.write(bytes);
  data.resume();
  const final = await caller.reply();
  data.destroy();
  return { final, stored: backend.stored.slice(from) };
}

/** When a count has not changed for a while. */
async function settled(count: () => number): Promise<void> {
  let last = -1;
  while (last !== count() || last === 0) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

const whole = (writer: BlockWriter): Buffer => Buffer.concat([...writer.write(file), ...writer.end()]);

describe('files in blocks through the server proxy', () => {
  for (const level of ['P', 'S'] as const) {
    it(`PROT ${level}, both ways`, async () => {
      const caller = await ready(level);
      const got = await fetch(caller, level, 32_768);
      assert.ok(got.content.equals(file) && got.ended);
      assert.match(got.final, /^226 /);
      assert.equal(got.wire.includes(file.subarray(1000, 1032)), level === 'S');
      const { final, stored } = await store(caller, whole, { level });
      assert.match(final, /^226 /);
      assert.ok(stored[0]?.ended === true && stored[0].bytes.equals(file));
    });
  }
  it('PROT C, and a level that changes between two files', async () => {
    const caller = await ready('C');
    const data = await caller.passive();
    caller.say('RETR file');
    await caller.reply();
    const { bytes } = await readAll(data);
    data.end();
    assert.ok(bytes.equals(file));
    assert.match(await caller.reply(), /^226 /);
    assert.match(await caller.ask('PROT P'), /^200 /);
    assert.ok((await fetch(caller, 'P', 32_768)).content.equals(file));
  });
  it('blocks of 4 KiB and of 128 KiB', async () => {
    for (const bufferSize of [4096, 131_072]) {
      const caller = await ready('P', bufferSize);
      assert.ok((await fetch(caller, 'P', bufferSize)).content.equals(file));
    }
  });
  it('an empty file is one block, and not nothing', async () => {
    const caller = await ready();
    const { final, stored } = await store(caller, (writer) => Buffer.concat(writer.end()));
    assert.match(final, /^226 /);
    assert.ok(stored[0]?.ended === true && stored[0].bytes.length === 0);
  });
});

describe('a side that does not keep up', () => {
  it('a client that does not read holds the backend up, and gets the whole file in the end', async () => {
    const caller = await ready();
    const data = await caller.passive();
    data.pause();
    const fileSequence = caller.say('RETR long');
    await caller.reply();
    const from = backend.sent();
    await settled(() => backend.sent() - from);
    assert.ok(backend.sent() - from < LONG_BYTES / 2, `${backend.sent() - from} bytes`);
    const reader = caller.session.blockReader({ level: 'P', fileSequence, bufferSize: 32_768 });
    let got = 0;
    data.on('data', (bytes: Buffer) => {
      for (const part of reader.push(bytes).data) got += part.length;
    });
    data.resume();
    await once(data, 'end');
    data.end();
    assert.ok(reader.ended);
    assert.equal(got, LONG_BYTES);
    assert.match(await caller.reply(), /^226 /);
  });
  it('a backend that does not read holds the client up', async () => {
    const caller = await ready();
    const data = await caller.passive();
    const fileSequence = caller.say('STOR never');
    await caller.reply();
    const writer = caller.session.blockWriter({ level: 'P', fileSequence, bufferSize: 32_768 });
    const piece = Buffer.alloc(1_000_000);
    for (let sent = 0; sent < LONG_BYTES; sent += piece.length)
      data.write(Buffer.concat(writer.write(piece)));
    const taken = (): number => data.bytesWritten - data.writableLength;
    await settled(taken);
    assert.ok(taken() < LONG_BYTES / 2, `${taken()} bytes`);
    data.resetAndDestroy();
    assert.match(await caller.reply(), /^4/);
  });
});

describe('attacks on data in blocks', () => {
  /** The upload fails, the backend gets a reset and no whole file, and the session goes on. */
  async function fails(make: (writer: BlockWriter) => Buffer, how: 'FIN' | 'RST' | 'stay' = 'FIN') {
    const caller = await ready();
    const { final, stored } = await store(caller, make, { how });
    assert.match(final, /^4/);
    assert.deepEqual(
      stored.map(({ ended }) => ended),
      [false],
    );
    assert.match(await caller.ask('NOOP'), /^200 /);
    return caller;
  }
  const edited = (at: number) => (writer: BlockWriter) => {
    const bytes = whole(writer);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };

  it('cut stream: without its end block an upload is none, with FIN or RST', async () => {
    await fails((writer) => Buffer.concat(writer.write(file)));
    await fails(() => Buffer.alloc(0));
    await fails((writer) => whole(writer).subarray(0, -1));
    await fails((writer) => Buffer.concat(writer.write(file)), 'RST');
  });
  it('a flipped bit anywhere', async () => {
    for (const at of [0, 3, 4, 20, 300_000]) await fails(edited(at), 'stay');
  });
  it('swapped, doubled and missing blocks', async () => {
    const blocksOf = (writer: BlockWriter): readonly Buffer[] => {
      const parts = [...writer.write(file.subarray(0, 100_000)), ...writer.end()];
      return Array.from({ length: parts.length / 2 }, (_, at) =>
        Buffer.concat(parts.slice(at * 2, at * 2 + 2)),
      );
    };
    for (const order of [
      [1, 0, 2, 3, 4],
      [0, 0, 1, 2, 3, 4],
      [0, 2, 3, 4],
      [4, 0, 1, 2, 3],
    ])
      await fails((writer) => {
        const blocks = blocksOf(writer);
        return Buffer.concat(order.map((at) => blocks[at] ?? Buffer.alloc(0)));
      }, 'stay');
  });
  it('bytes behind the end block', async () => {
    await fails((writer) => Buffer.concat([whole(writer), Buffer.from('x')]), 'stay');
    await fails((writer) => Buffer.concat([whole(writer), ...writer.write(Buffer.from('x'))]), 'stay');
  });
  it('a block beyond PBSZ, and lengths that none can have: no memory is taken', async () => {
    for (const length of [0, 40, 47, 49, 32_840, 0x7fff_ffff, 0xffff_ffff]) {
      const head = Buffer.alloc(4);
      head.writeUInt32BE(length);
      await fails(() => Buffer.concat([head, Buffer.alloc(64)]), 'stay');
    }
  });
  it('data in clear where blocks are due', async () => {
    await fails(() => Buffer.from('in clear\r\n'.repeat(100)));
  });
  it('replay of a whole file', async () => {
    const caller = await ready();
    const taken: Buffer[] = [];
    const first = await store(caller, (writer) => {
      taken.push(whole(writer));
      return taken[0] ?? Buffer.alloc(0);
    });
    assert.match(first.final, /^226 /);
    const again = await store(caller, () => taken[0] ?? Buffer.alloc(0), { how: 'stay' });
    assert.match(again.final, /^4/);
    assert.equal(again.stored[0]?.ended, false);
  });
  it('echo of the server’s own file, and a file of another session', async () => {
    const other = await ready();
    const { wire } = await fetch(other, 'P', 32_768);
    await fails(() => wire, 'stay');
    const foreign = other.session.blockWriter({ level: 'P', fileSequence: 6, bufferSize: 32_768 });
    await fails(() => whole(foreign), 'stay');
  });
  it('stolen passive connection: who has not the keys can neither store a file nor read one', async () => {
    const caller = await ready();
    const at = await caller.passivePort();
    const thief = net.connect({ port: at, host: '127.0.0.1', allowHalfOpen: true });
    thief.on('error', () => undefined);
    await once(thief, 'connect');
    caller.say('RETR file');
    assert.match(await caller.reply(), /^150 /);
    const { bytes } = await readAll(thief);
    thief.destroy();
    assert.equal(bytes.includes(file.subarray(1000, 1032)), false);
    await caller.reply();
    assert.match(await caller.ask('NOOP'), /^200 /);
  });
  it('a line in clear during a transfer ends the data connection too, without an end', async () => {
    const caller = await ready();
    const data = await caller.passive();
    caller.say('STOR up');
    await caller.reply();
    const from = backend.stored.length;
    const over = new Promise((resolve) => data.once('close', resolve));
    caller.socket.write('NOOP\r\n');
    assert.match(await caller.reply(), /^in clear: 533 /);
    data.resume();
    await over;
    while (backend.stored.length === from) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(backend.stored.at(-1)?.ended, false);
  });
});
