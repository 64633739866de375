// Many sessions that are logged in and do nothing: what they cost the proxy in memory, from a fresh start.
import { memory } from '../process-tree.js';
import { sleep } from '../../lab/harness/command.js';
import { sessionArguments, startDriver } from './driver.js';
import type { Work } from './work.js';

/** Long enough for a proxy to finish what it does after a login. */
const settleMs = 2000;

export const idleMemory: Work = {
  metric: {
    name: 'idle-memory',
    title: 'memory of an idle session',
    unit: 'KiB/session',
    better: 'less',
    cpuPer: undefined,
  },
  obstacle: (contender) => (contender.proxy === undefined ? 'no proxy' : undefined),
  perform: async (contender, field, sizes) => {
    const { proxy, namespace } = contender;
    if (proxy === undefined) throw new Error(`${contender.name} has no proxy`);
    await proxy.restart();
    await sleep(settleMs);
    const before = memory(proxy.pid());
    const args = sessionArguments(contender, sizes.idleSessions);
    const client = await startDriver(field, namespace, 'idle', args);
    await sleep(settleMs);
    const open = memory(proxy.pid());
    client.child.stdin?.end();
    const code = await client.ended;
    if (code !== 0) throw new Error(`the idle sessions had died: ${client.stderr().slice(-1000)}`);
    return {
      value: (open.pss - before.pss) / sizes.idleSessions / 1024,
      cpu: undefined,
      clientCpu: undefined,
      raw: {
        sessions: sizes.idleSessions,
        pssBefore: before.pss,
        pssOpen: open.pss,
        rssBefore: before.rss,
        rssOpen: open.rss,
        processesBefore: before.processes,
        processesOpen: open.processes,
      },
    };
  },
};
