// What the rules cost connections that are none of ftpseal's business: time to connect, get a byte and see the end, on
// a host with the rules and on one without, in alternating batches.
import { drive, startDriver } from '../ftp/driver.js';
import type { FtpContext } from '../ftp/ground.js';
import { median, medianInterval, type Interval } from '../statistics.js';

/** Median microseconds of each batch, pair by pair, and the quotient over all batches with its 95 % interval. */
export interface ForeignResult {
  readonly withRules: readonly number[];
  readonly without: readonly number[];
  readonly ratio: number;
  readonly interval: Interval;
}

const port = 7777;

/** One round: `foreignConnections` from each host. `address` is one of the server host's. */
export async function measureForeign(
  { ground, sizes }: FtpContext,
  hosts: {
    readonly withRules: string;
    readonly without: string;
    readonly server: string;
    readonly address: string;
  },
): Promise<{ readonly withRules: readonly number[]; readonly without: readonly number[] }> {
  const at = ['--address', hosts.address, '--port', String(port)];
  const acceptor = await startDriver(ground, hosts.server, 'accept', at);
  const batch = ['--count', String(Math.ceil(sizes.foreignConnections / sizes.foreignBatches))];
  const micros = async (namespace: string): Promise<number> => {
    const { times } = await drive(ground, namespace, 'connect', [...at, ...batch]);
    return median(times) * 1e6;
  };
  const withRules: number[] = [];
  const without: number[] = [];
  try {
    for (let index = 0; index < sizes.foreignBatches; index += 1) {
      const order = index % 2 === 0 ? ([withRules, without] as const) : ([without, withRules] as const);
      for (const list of order) list.push(await micros(list === withRules ? hosts.withRules : hosts.without));
    }
  } finally {
    await acceptor.stop();
  }
  return { withRules, without };
}

/** Joins the rounds. */
export function foreignResult(
  withRules: readonly number[],
  without: readonly number[],
): ForeignResult | undefined {
  const quotients = withRules.flatMap((value, index) => {
    const other = without[index];
    return other === undefined || other === 0 ? [] : [value / other];
  });
  if (quotients.length === 0) return undefined;
  return { withRules, without, ratio: median(quotients), interval: medianInterval(quotients) };
}
