// A plain TCP client for the TUN tests, one process a task: it connects and does what its one argument says. What it prints is
// the test's evidence. Run as `node client.js '{"host":…}'`.
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { z } from 'zod';

export const taskSchema = z.object({
  host: z.string(),
  port: z.number(),
  from: z.object({ host: z.string(), port: z.number() }).optional(),
  /** Connections at once. */
  count: z.number().default(1),
  /** Bytes to send and to get back; the end of sending is told by a FIN, and the other side goes on. */
  bytes: z.number().default(0),
});
export type Task = z.input<typeof taskSchema>;

/** `greeting`: the first line. `same`: whether all bytes came back as they were sent, by their hash. */
export const resultSchema = z.object({
  greetings: z.string().array(),
  peers: z.string().array(),
  same: z.boolean(),
  errors: z.string().array(),
  milliseconds: z.number(),
});
export type Result = z.infer<typeof resultSchema>;

interface One {
  readonly greeting: string;
  readonly peer: string;
  readonly same: boolean;
}

function converse(task: z.output<typeof taskSchema>): Promise<One> {
  return new Promise((resolve, reject) => {
    const sent = createHash('sha256');
    const got = createHash('sha256');
    const { host, port, from } = task;
    const source = from === undefined ? {} : { localAddress: from.host, localPort: from.port };
    const socket = net.connect({ host, port, allowHalfOpen: true, ...source });
    let greeting = '';
    let peer = '';
    let left = task.bytes;
    const pump = (): void => {
      while (left > 0) {
        const piece = randomBytes(Math.min(left, 65_536));
        left -= piece.length;
        sent.update(piece);
        if (!socket.write(piece)) return;
      }
      socket.end();
    };
    socket.on('drain', pump);
    socket.once('connect', () => {
      peer = `${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
    });
    socket.on('data', (data) => {
      if (greeting !== '') {
        got.update(data);
        return;
      }
      const end = data.indexOf('\n');
      greeting = data.toString('utf8', 0, end);
      got.update(data.subarray(end + 1));
      pump();
    });
    socket.once('error', reject);
    socket.once('end', () => {
      resolve({ greeting, peer, same: sent.digest('hex') === got.digest('hex') });
    });
  });
}

async function main(): Promise<void> {
  const task = taskSchema.parse(JSON.parse(process.argv[2] ?? ''));
  const started = Date.now();
  const all = await Promise.allSettled(Array.from({ length: task.count }, () => converse(task)));
  const good = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const result: Result = {
    greetings: good.map((one) => one.greeting),
    peers: good.map((one) => one.peer),
    same: good.every((one) => one.same),
    errors: all.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
    milliseconds: Date.now() - started,
  };
  process.stdout.write(JSON.stringify(result));
}

if (process.argv[1] === import.meta.filename) await main();
