// What the rules cost connections that are none of ftpseal's business: time to connect, get a byte and see the end, in
// alternating batches, without any rules, with ftpseal's, and with the few that show how much of it is the kernel's own.
import { must } from '../../lab/harness/command.js';
import { drive, startDriver } from '../ftp/driver.js';
import type { FtpContext } from '../ftp/ground.js';
import { median } from '../statistics.js';
import {
  everySituation,
  situationNames,
  situations,
  type ForeignBatches,
  type SituationName,
} from './foreign-result.js';

const port = 7777;

interface Hosts {
  readonly ours: string;
  readonly bare: string;
  readonly server: string;
  /** One of the server host's. */
  readonly address: string;
}

/** One round: `foreignConnections` in each situation. */
export async function measureForeign(context: FtpContext, hosts: Hosts): Promise<ForeignBatches> {
  const { ground, sizes } = context;
  const at = ['--address', hosts.address, '--port', String(port)];
  const acceptor = await startDriver(ground, hosts.server, 'accept', at);
  const batch = ['--count', String(Math.ceil(sizes.foreignConnections / sizes.foreignBatches))];
  const batches = new Map<SituationName, readonly number[]>();
  try {
    for (let index = 0; index < sizes.foreignBatches; index += 1) {
      const first = index % situationNames.length;
      for (const name of [...situationNames.slice(first), ...situationNames.slice(0, first)]) {
        const situation = situations[name];
        const host = situation.hasOurs ? hosts.ours : hosts.bare;
        const { times } = await withChains(host, situation.chains, () =>
          drive(ground, host, 'connect', [...at, ...batch]),
        );
        batches.set(name, [...(batches.get(name) ?? []), median(times) * 1e6]);
      }
    }
  } finally {
    await acceptor.stop();
  }
  return everySituation((name) => batches.get(name) ?? []);
}

async function withChains<T>(
  namespace: string,
  chains: string | undefined,
  action: () => Promise<T>,
): Promise<T> {
  if (chains === undefined) return action();
  await must({ namespace }, ['nft', '-f', '-'], `table inet beside {\n${chains}\n}\n`);
  try {
    return await action();
  } finally {
    await must({ namespace }, ['nft', 'delete', 'table', 'inet', 'beside']);
  }
}
