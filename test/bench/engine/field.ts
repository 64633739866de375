// The field of the engine's figures: a client and a server host, sources of bytes at the server and at the ports of workers, and
// the redirect layers that take turns.
import { spawn, type ChildProcess } from 'node:child_process';
import { z } from 'zod';
import { plan } from '../../daemon/divert/plan-fixture.js';
import { argvAt, must, waitFor } from '../../lab/harness/command.js';
import { openNetwork, type Network } from '../../lab/harness/network.js';
import { startAgent, type Agent } from '../../lab/redirect/agent-process.js';
import { stagedProgram } from '../../lab/redirect/staged.js';
import { isListening } from '../ftp/listening.js';
import { cpuSeconds } from '../process-tree.js';
import type { Entrant } from '../work.js';

export const layerNames = ['tun', 'nftables', 'plain'] as const;
export type LayerName = (typeof layerNames)[number];

const proxyUid = 21021;
const personUid = 30_001;
/** The workers' control ports of the plan. */
const workerPorts = [31_100, 31_108];

const resultSchema = z.object({ bytes: z.number(), milliseconds: z.number(), cpu: z.number() });

/** What one bulk connection came to. */
export interface Bulk extends Readonly<z.infer<typeof resultSchema>> {
  /** CPU seconds of the layer's process. The kernel's own work for a packet is nobody's. */
  readonly layerCpu: number | undefined;
}

export interface LayerEntrant extends Entrant {
  readonly name: LayerName;
  /** One connection from the client to the server's port 21, through the layer. */
  bulk(family: 4 | 6): Promise<Bulk>;
}

export interface Field {
  readonly entrants: readonly LayerEntrant[];
  close(): Promise<void>;
}

/** Needs root. `bytes`: what each connection carries. */
export async function openField(names: readonly LayerName[], bytes: number): Promise<Field> {
  const network = await openNetwork();
  const agents: Agent[] = [];
  const sources: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const source of sources) source.kill();
    for (const agent of agents) await agent.kill();
    await network.close();
  };
  try {
    const address = network.nextAddress();
    sources.push(startSource(network.srv, undefined, 21, bytes));
    for (const port of workerPorts) sources.push(startSource(network.pc, proxyUid, port, bytes));
    await waitFor('the server', () => isListening(network.srv, 21));
    for (const port of workerPorts) await waitFor('the workers', () => isListening(network.pc, port));
    const entrants = names.map((name): LayerEntrant => {
      const agent =
        name === 'plain' ? undefined : startAgent(network.pc, name === 'tun' ? { layer: 'tun' } : {});
      if (agent !== undefined) agents.push(agent);
      return {
        name,
        log: () => '',
        bulk: (family) => through(agent, network, family === 4 ? address.ipv4 : address.ipv6),
      };
    });
    return { entrants, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function through(agent: Agent | undefined, network: Network, host: string): Promise<Bulk> {
  const before = agent === undefined ? 0 : await cpuSeconds([agent.pid]);
  await tell(agent, { kind: 'apply', plan: plan() });
  const argv = [process.execPath, programOf('traffic'), 'sink', host, '21'];
  const said = await must({ namespace: network.pc, uid: personUid }, argv);
  await tell(agent, { kind: 'clear' });
  const layerCpu = agent === undefined ? undefined : (await cpuSeconds([agent.pid])) - before;
  return { ...resultSchema.parse(JSON.parse(said)), layerCpu };
}

async function tell(agent: Agent | undefined, request: Parameters<Agent['ask']>[0]): Promise<void> {
  const answer = await agent?.ask(request);
  if (answer?.error !== undefined) throw new Error(answer.error);
}

function startSource(namespace: string, uid: number | undefined, port: number, bytes: number): ChildProcess {
  const words = [process.execPath, programOf('traffic'), 'source', String(port), String(bytes)];
  const [program = '', ...argv] = argvAt({ namespace, uid }, words);
  return spawn(program, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function programOf(name: string): string {
  return stagedProgram(`../../bench/engine/${name}.js`);
}

/** Nanoseconds of processor time that the engine takes for a packet, without any I/O. */
export async function packetCost(family: 4 | 6, connections: number, batches: number): Promise<number> {
  const words = [family, connections, batches].map(String);
  return Number(await must({}, [process.execPath, programOf('packets'), ...words]));
}
