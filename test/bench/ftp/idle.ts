// Many sessions that are logged in and do nothing: what they cost in memory, a proxy from a fresh start.
import { memory, rawMemory } from '../process-tree.js';
import { sleep } from '../../lab/harness/command.js';
import type { Measured, Work } from '../work.js';
import type { Contender } from './contender.js';
import { sessionArguments, startDriver } from './driver.js';
import type { FtpContext } from './ground.js';

export const idleMemory: Work<Contender, FtpContext> = {
  metric: {
    name: 'idle-memory',
    title: 'memory of an idle session',
    unit: 'KiB/session',
    better: 'less',
    cpuPer: undefined,
  },
  obstacle: (contender) => (contender.roots().length === 0 ? 'nothing of it is measured' : undefined),
  perform: (contender, context) => hold(contender, context, context.sizes.idleSessions),
};

/** Only of those who say when they are ready: two thousand processes of another one are gigabytes. */
export const idleMemoryOfTwice: Work<Contender, FtpContext> = {
  metric: { ...idleMemory.metric, name: 'idle-memory-twice', title: 'the same with twice as many' },
  obstacle: ({ proxy }) => (proxy?.readyAfterMs === undefined ? 'it takes a process a session' : undefined),
  perform: (contender, context) => hold(contender, context, 2 * context.sizes.idleSessions),
};

async function hold(
  contender: Contender,
  { ground, sizes }: FtpContext,
  sessions: number,
): Promise<Measured> {
  await contender.proxy?.restart();
  await sleep(sizes.settleMs);
  const before = memory(contender.roots());
  const args = sessionArguments(contender, sessions);
  const client = await startDriver(ground, contender.namespace, 'idle', args);
  await sleep(sizes.settleMs);
  const open = memory(contender.roots());
  client.child.stdin?.end();
  const code = await client.ended;
  if (code !== 0) throw new Error(`the idle sessions had died: ${client.stderr().slice(-1000)}`);
  return {
    value: (open.pss - before.pss) / sessions / 1024,
    cpu: undefined,
    clientCpu: undefined,
    raw: rawMemory(sessions, before, open),
  };
}
