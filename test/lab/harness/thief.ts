// Somebody at a server's address who takes what he gets, as a man in the middle can.
import { start, waitFor, type Running } from './command.js';
import type { Lab } from './lab.js';
import type { LabServer } from './server.js';

/** Listens on `port` of the server's address; prints `caller` for each connection and `got N` for each piece of data. */
export async function startThief(lab: Lab, server: LabServer, port: number): Promise<Running> {
  const script =
    `require('node:net').createServer((s) => { console.log('caller'); s.on('error', () => 0); ` +
    `s.on('data', (d) => console.log('got', d.length)); })` +
    `.listen(${port}, '${server.address.ipv4}', () => console.error('listening'))`;
  const thief = start({ namespace: lab.network.srv }, [process.execPath, '-e', script]);
  await waitFor('the thief', () => thief.stderr().includes('listening'));
  return thief;
}

/** The port in a 227 reply. */
export function portOf227(reply: string): number {
  const [, high, low] = /,(\d+),(\d+)\)/.exec(reply) ?? [];
  return Number(high) * 256 + Number(low);
}
