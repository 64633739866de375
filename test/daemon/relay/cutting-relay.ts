// An attacker between client and server: a TCP relay that knows TLS record borders and cuts the server's bytes at a
// chosen place with a FIN or a reset, or damages what the client sends. Without delay, so that a reset drops nothing.
import net from 'node:net';
import { listen, type Listener } from './socket-fixture.js';

export interface Attack {
  /** Whole records of the server that pass, then `extraBytes` of the next; `Infinity` passes all. */
  readonly records: number;
  readonly extraBytes: number;
  readonly end: 'fin' | 'reset';
  /** Flips a bit in the client's record with this number. */
  readonly damageClientRecord?: number;
}

export const NO_ATTACK: Attack = { records: Infinity, extraBytes: 0, end: 'fin' };

export interface CuttingRelay extends Listener {
  /** Records of the server seen so far on the newest connection. */
  readonly serverRecords: () => number;
}

export async function startCuttingRelay(target: number, attack: () => Attack): Promise<CuttingRelay> {
  let seen: () => number = () => 0;
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = net.connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
    const plan = attack();
    forwardClient(client, upstream, plan);
    seen = forwardServer(upstream, client, plan);
  });
  const listener = await listen(server);
  return { ...listener, serverRecords: () => seen() };
}

function forwardClient(client: net.Socket, upstream: net.Socket, plan: Attack): void {
  let index = -1;
  const split = splitRecords((record) => {
    index += 1;
    const last = record.length - 1;
    if (index === plan.damageClientRecord) record[last] = (record[last] ?? 0) ^ 1;
    upstream.write(record);
  });
  client.on('data', split);
  client.on('end', () => upstream.end());
}

function forwardServer(upstream: net.Socket, client: net.Socket, plan: Attack): () => number {
  let count = 0;
  let isCut = false;
  const split = splitRecords((record) => {
    if (isCut) return;
    count += 1;
    if (count <= plan.records) {
      client.write(record);
      return;
    }
    isCut = true;
    cut(client, record.subarray(0, plan.extraBytes), plan.end);
  });
  upstream.on('data', split);
  upstream.on('end', () => {
    if (isCut) return;
    if (plan.end === 'fin') client.end();
    else cut(client, Buffer.alloc(0), 'reset');
  });
  return () => count;
}

function cut(client: net.Socket, rest: Buffer, end: 'fin' | 'reset'): void {
  client.write(rest, () => {
    if (end === 'fin') client.end();
    else client.resetAndDestroy();
  });
}

function splitRecords(onRecord: (record: Buffer) => void): (bytes: Buffer) => void {
  let held = Buffer.alloc(0);
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt16BE(3)) {
      const length = 5 + held.readUInt16BE(3);
      onRecord(Buffer.from(held.subarray(0, length)));
      held = held.subarray(length);
    }
  };
}
