// The measuring client of the X-SafeTP1 benchmark: one order as JSON, one line of JSON as result. The clock runs here, beside the work.
import { once } from 'node:events';
import { openSync, readSync } from 'node:fs';
import type net from 'node:net';
import type { TransferProtection } from '../../../daemon/security/safetp/safetp-session.js';
import { MeasuringClient } from './ftp-client.js';
import { orderSchema, type Order, type Result } from './order.js';

const BLOCK = 256 * 1024;

async function timed(action: () => Promise<void>): Promise<number> {
  const start = process.hrtime.bigint();
  await action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

async function logins(order: Order, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let done = 0; done < count; done += 1) {
    times.push(
      await timed(async () => {
        const client = await MeasuringClient.open(order);
        await client.ask('PWD');
        await client.close();
      }),
    );
  }
  return times;
}

async function noops(order: Order, count: number): Promise<readonly number[]> {
  const client = await MeasuringClient.open(order);
  const noop = async (): Promise<void> => {
    await client.ask('NOOP');
  };
  for (let done = 0; done < Math.min(20, count); done += 1) await noop();
  const times: number[] = [];
  for (let done = 0; done < count; done += 1) times.push(await timed(noop));
  await client.close();
  return times;
}

/** How the blocks of a transfer are made, where X-SafeTP1 protects data. */
function blocksOf({ level, bufferSize }: Order, fileSequence: number): TransferProtection | undefined {
  return level === 'C' ? undefined : { level, bufferSize, fileSequence };
}

/** Reads to the end, which with X-SafeTP1 has to be proven. */
async function drain(stream: net.Socket, open: ((bytes: Buffer) => number) | undefined): Promise<number> {
  let size = 0;
  stream.on('data', (bytes: Buffer) => {
    size += open === undefined ? bytes.length : open(bytes);
  });
  await once(stream, 'end');
  stream.end();
  return size;
}

async function get(client: MeasuringClient, order: Order, remote: string): Promise<number> {
  const socket = await client.dial();
  const { sequence } = client.send(`RETR ${remote}`);
  const stream = order.mechanism === 'TLS' ? await client.wrap(socket) : socket;
  const blocks = blocksOf(order, sequence);
  const reader = blocks === undefined ? undefined : client.safetp?.blockReader(blocks);
  const open =
    reader === undefined
      ? undefined
      : (bytes: Buffer): number => reader.push(bytes).data.reduce((sum, piece) => sum + piece.length, 0);
  const size = drain(stream, open);
  await client.nextReply();
  await size;
  if (reader?.ended === false) throw new Error('the end of the file is not proven');
  await client.nextReply();
  return size;
}

async function put(client: MeasuringClient, order: Order, remote: string, local: string): Promise<number> {
  const socket = await client.dial();
  const { sequence } = client.send(`STOR ${remote}`);
  const stream = order.mechanism === 'TLS' ? await client.wrap(socket) : socket;
  stream.resume();
  await client.nextReply();
  const blocks = blocksOf(order, sequence);
  const writer = blocks === undefined ? undefined : client.safetp?.blockWriter(blocks);
  const file = openSync(local, 'r');
  let size = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(BLOCK);
    const length = readSync(file, piece);
    if (length === 0) break;
    size += length;
    const part = piece.subarray(0, length);
    stream.cork();
    const parts = writer === undefined ? [part] : writer.write(part);
    const hasRoom = parts.map((one) => stream.write(one)).every(Boolean);
    stream.uncork();
    if (!hasRoom) await once(stream, 'drain');
  }
  for (const one of writer?.end() ?? []) stream.write(one);
  stream.end();
  await client.nextReply();
  return size;
}

/** From the transfer command to the last reply. */
async function transfer(order: Order): Promise<Pick<Result, 'times' | 'bytes'>> {
  const { job } = order;
  const client = await MeasuringClient.open(order);
  await client.ask('TYPE I');
  let bytes = 0;
  const seconds = await timed(async () => {
    if (job.kind === 'get') bytes = await get(client, order, job.remote);
    if (job.kind === 'put') bytes = await put(client, order, job.remote, job.local);
  });
  await client.close();
  return { times: [seconds], bytes };
}

async function perform(order: Order): Promise<Pick<Result, 'times' | 'bytes'>> {
  switch (order.job.kind) {
    case 'logins':
      return { times: await logins(order, order.job.count), bytes: 0 };
    case 'noops':
      return { times: await noops(order, order.job.count), bytes: 0 };
    case 'get':
    case 'put':
      return transfer(order);
  }
}

const order = orderSchema.parse(JSON.parse(process.argv[2] ?? ''));
const before = process.cpuUsage();
const done = await perform(order);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ ...done, cpu: (user + system) / 1e6 }));
