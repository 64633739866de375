// Memory against idle sessions: from a fresh start more and more of them, none of which is closed before the last has been counted.
import { sleep, type Running } from '../../lab/harness/command.js';
import type { Contender } from '../ftp/contender.js';
import { sessionArguments, startDriver } from '../ftp/driver.js';
import { memory } from '../process-tree.js';
import type { Progress } from '../progress.js';
import type { Sample } from '../results.js';
import type { ScalingContext } from './streams.js';

/** The metric of a point of the curve. */
export function sessionsName(count: number): string {
  return `sessions-${count}`;
}

/** A sample for no session and for each number of them: MiB of PSS. */
export async function measureSessions(
  contender: Contender,
  { ground, sizes }: ScalingContext,
  progress: Progress,
): Promise<readonly Sample[]> {
  await contender.proxy?.restart();
  await sleep(sizes.settleMs);
  const samples = [sampleNow(contender, 0)];
  const clients: Running[] = [];
  let open = 0;
  for (const count of sizes.sessions) {
    const args = sessionArguments(contender, count - open);
    clients.push(await startDriver(ground, contender.namespace, 'idle', args));
    open = count;
    await sleep(sizes.settleMs);
    const sample = sampleNow(contender, count);
    samples.push(sample);
    progress.keep([sample]);
    progress.say(`${count} idle sessions · ${contender.name}: ${sample.value.toFixed(0)} MiB`);
  }
  for (const client of clients) {
    client.child.stdin?.end();
    const code = await client.ended;
    if (code !== 0) throw new Error(`the idle sessions had died: ${client.stderr().slice(-1000)}`);
  }
  return samples;
}

function sampleNow(contender: Contender, sessions: number): Sample {
  const { pss, rss, processes } = memory(contender.roots());
  return {
    metric: sessionsName(sessions),
    contender: contender.name,
    round: 1,
    value: pss / 2 ** 20,
    cpu: undefined,
    clientCpu: undefined,
    raw: { sessions, pss, rss, processes },
  };
}
