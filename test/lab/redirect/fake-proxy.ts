// Stands in for the proxy under a real supervisor: listens where it is told, says what it sees on stdout, one JSON line
// each, and misbehaves on demand (first argument).
import { once } from 'node:events';
import net from 'node:net';
import { writeFileSync } from 'node:fs';
import { toProxySchema } from '../../../daemon/privops.js';
import type { PrivopRequest, StartMessage } from '../../../daemon/privops.js';

const behaviour = process.argv[2] ?? 'good';
const stateDir = process.argv[3] ?? '';

function say(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`);
}

let nextId = 1;
function ask(request: PrivopRequest | { readonly kind: string }): void {
  process.send?.({ id: nextId++, request });
}

async function listen(port: number, greeting: string): Promise<void> {
  for (const host of ['127.0.0.1', '::1']) {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write(`${greeting}\n`);
      socket.pipe(socket);
    });
    server.listen(port, host);
    await once(server, 'listening');
  }
}

async function begin(start: StartMessage): Promise<void> {
  if (behaviour === 'exit') process.exit(7);
  if (behaviour === 'silent') return;
  if (behaviour === 'early') ask({ kind: 'setServers', servers: [] });
  const workers = start.shares.map((share) => ({
    control: share.listen.first,
    data: share.listen.last,
    virtual: share.virtual,
  }));
  for (const { control, data } of workers) {
    await listen(control, `control ${control}`);
    await listen(data, `data ${data}`);
  }
  ask({ kind: 'workersReady', workers });
}

process.on('message', (message) => {
  const parsed = toProxySchema.parse(message);
  if (parsed.kind === 'start') void begin(parsed);
  if (parsed.kind === 'ping' && behaviour !== 'deaf') ask({ kind: 'pong', number: parsed.number });
  if (parsed.kind === 'answer') {
    say('answer', { answer: parsed.answer });
    if (behaviour === 'shell' && parsed.id === 1) ask({ kind: 'exec' });
  }
  if (parsed.kind === 'stop') {
    say('stop', { graceMs: parsed.graceMs });
    if (behaviour !== 'stubborn') process.exit(0);
  }
});
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => {
  say('sigterm');
  setTimeout(() => process.exit(0), behaviour === 'slow' ? 1500 : 0);
});
// The proof that it may write where it must.
if (stateDir !== '') writeFileSync(`${stateDir}/proof`, '');
say('begun', {
  pid: process.pid,
  uid: process.getuid?.(),
  cwd: process.cwd(),
  environment: Object.keys(process.env).sort(),
});
