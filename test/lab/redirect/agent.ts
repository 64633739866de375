// One party of a redirect test: server, client, proxy or the privileged side, told over its 'ipc' channel what to do. With
// AGENT_THREAD=1 everything happens in a worker thread, as in the real proxy.
import net from 'node:net';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { z } from 'zod';
import { NftablesDiverter } from '../../../daemon/divert/linux/nftables.js';
import { TunDiverter } from '../../../daemon/divert/tun/tun-diverter.js';
import { originalDestination } from '../../../daemon/sys/original-destination.js';
import { socketOwner } from '../../../daemon/sys/socket-owner.js';
import { socketProgram } from '../../../daemon/sys/socket-program.js';
import { formatEndpoint, parseIpAddress, parsePort } from '../../../shared/endpoint.js';
import { Fault } from '../../../shared/fault.js';
import { requestSchema } from './protocol.js';
import type { Endpoint } from '../../../shared/endpoint.js';
import type { Accepted, Answer, Request } from './protocol.js';

const sockets = new Map<number, net.Socket>();
const accepted: Accepted[] = [];
const tun = new TunDiverter();
const diverter = process.env['AGENT_LAYER'] === 'tun' ? tun : new NftablesDiverter();
/** The first failure of the packet engine. */
const failed = new Promise<Fault>((resolve) => {
  tun.onFailure(resolve);
});
let nextId = 1;

function remember(socket: net.Socket): number {
  const id = nextId++;
  sockets.set(id, socket);
  socket.on('error', () => undefined);
  return id;
}

function endpointOf(address: string | undefined, port: number | undefined): Endpoint | undefined {
  const [host, n] = [parseIpAddress(address), parsePort(port)];
  return host === undefined || n === undefined ? undefined : { address: host, port: n };
}

function noteAccepted(socket: net.Socket, port: number): void {
  const id = remember(socket);
  const peer = endpointOf(socket.remoteAddress, socket.remotePort);
  const original = originalDestination(socket);
  accepted.push({
    id,
    port,
    peer: peer === undefined ? '' : formatEndpoint(peer),
    original: original === undefined ? undefined : formatEndpoint(original),
    owner: peer === undefined || original === undefined ? undefined : socketOwner(peer, original),
  });
}

function listen(request: Extract<Request, { kind: 'listen' }>): Promise<Answer> {
  return new Promise((resolve) => {
    const server = net.createServer((socket) => {
      noteAccepted(socket, request.port);
      socket.write(`${request.greeting}\n`);
      socket.pipe(socket);
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ error: error.code });
    });
    server.listen(request.port, request.host, () => {
      resolve({});
    });
  });
}

function connect(request: Extract<Request, { kind: 'connect' }>): Promise<Answer> {
  return new Promise((resolve) => {
    const { host, port, from } = request;
    const socket = net.connect({
      host,
      port,
      ...(from.host === undefined ? {} : { localAddress: from.host }),
      ...(from.port === undefined ? {} : { localPort: from.port }),
    });
    const id = remember(socket);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ id, error: error.code });
    });
    socket.once('end', () => {
      resolve({ id, error: 'end' });
    });
    socket.once('data', (bytes) => {
      const local = endpointOf(socket.localAddress, socket.localPort);
      const remote = endpointOf(socket.remoteAddress, socket.remotePort);
      resolve({
        id,
        greeting: bytes.toString().trim(),
        local: local === undefined ? undefined : formatEndpoint(local),
        remote: remote === undefined ? undefined : formatEndpoint(remote),
      });
    });
  });
}

function say(request: Extract<Request, { kind: 'say' }>): Promise<Answer> {
  const socket = sockets.get(request.id);
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) {
      resolve({ error: 'closed' });
      return;
    }
    socket.once('close', () => {
      resolve({ error: 'closed' });
    });
    socket.once('data', (bytes) => {
      resolve({ greeting: bytes.toString().trim() });
    });
    socket.write(`${request.text}\n`);
  });
}

function end(request: Extract<Request, { kind: 'end' }>): Promise<Answer> {
  const socket = sockets.get(request.id);
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) {
      resolve({});
      return;
    }
    socket.once('close', () => {
      resolve({});
    });
    if (request.reset) socket.resetAndDestroy();
    else socket.destroy();
  });
}

async function perform(request: Request): Promise<Answer> {
  switch (request.kind) {
    case 'listen':
      return listen(request);
    case 'accepted':
      return { accepted };
    case 'connect':
      return connect(request);
    case 'say':
      return say(request);
    case 'end':
      return end(request);
    case 'owner':
      return { uid: socketOwner(request.client, request.server) };
    case 'program':
      return (await socketProgram(request.client, request.server)) ?? {};
    case 'origin': {
      const origin = tun.originOf(request);
      if (origin === undefined) return {};
      return {
        local: formatEndpoint(origin.client),
        remote: formatEndpoint(origin.server),
        uid: origin.uid,
      };
    }
    case 'failure':
      return { greeting: (await failed).userMessage };
    case 'fail':
      setImmediate(() => {
        throw new Error('on demand');
      });
      return {};
    case 'apply':
      await diverter.apply({ ...request.plan, forwarded: undefined });
      return {};
    case 'drain':
      await diverter.drain();
      return {};
    case 'clear':
      await diverter.clear();
      return {};
  }
}

async function answer(message: unknown): Promise<unknown> {
  const { id, request } = z.object({ id: z.number(), request: requestSchema }).parse(message);
  const result = await perform(request).catch((error: unknown): Answer => {
    const fault = Fault.from(error);
    return { error: `${fault.code}: ${fault.userMessage}` };
  });
  return { id, answer: result };
}

function serve(): void {
  if (!isMainThread) {
    parentPort?.on(
      'message',
      (message) => void answer(message).then((reply) => parentPort?.postMessage(reply)),
    );
  } else if (process.env['AGENT_THREAD'] === '1') {
    const worker = new Worker(new URL(import.meta.url));
    worker.on('message', (reply) => process.send?.(reply));
    process.on('message', (message) => {
      worker.postMessage(message);
    });
  } else {
    process.on('message', (message) => void answer(message).then((reply) => process.send?.(reply)));
  }
}

process.on('disconnect', () => process.exit());
serve();
