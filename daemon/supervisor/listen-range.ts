// Where the workers will listen: in the usual place, unless somebody holds that. The ports are unprivileged, so anybody can.
import { randomInt } from 'node:crypto';
import { listenRanges, portShares } from '../divert/port-shares.js';
import { closed, listenAddresses, listenOnEach } from '../pool/listeners.js';
import type { PortRange } from '../../shared/endpoint.js';
import type { Config } from '../config.js';
import type { Listening } from '../pool/listeners.js';
import type { SupervisorLog } from './supervisor-log.js';

/**
 * Places beyond the usual ones that are tried, at random, so that nobody knows which to hold. Whoever wants to hold all of them
 * needs ten thousand ports.
 */
const RANDOM_PLACES = 50;
/** Below the usual ephemeral range, with room for the largest number of workers. */
const RANDOM_BASES = { first: 10_000, last: 31_000 } as const;

/**
 * The range of ports that all workers share for their listeners. If no place has room the usual one comes back, and
 * the proxy says what is wrong. Throws a Fault of code `config` if the configuration leaves no room at all.
 */
export async function chooseListenRange(
  divert: Config['divert'],
  workers: number,
  log: SupervisorLog,
): Promise<PortRange> {
  const bases = Array.from({ length: RANDOM_PLACES }, () => randomInt(RANDOM_BASES.first, RANDOM_BASES.last));
  const [usual, ...others] = listenRanges(divert, workers, bases);
  // Only a kernel's redirect goes to loopback; looking at the ports of other layers would be listening to the network.
  const isOnLoopback = divert.layer === 'nftables' || divert.layer === 'pf';
  if (!isOnLoopback || (await hasRoom(divert, workers, usual))) return usual;
  for (const range of others) {
    if (!(await hasRoom(divert, workers, range))) continue;
    log('warn', 'other programs hold the ports where the workers usually listen', {
      usual: `${usual.first}-${usual.last}`,
      instead: `${range.first}-${range.last}`,
    });
    return range;
  }
  return usual;
}

/** Whether every worker would find its two ports now; tried by listening there for a moment. */
async function hasRoom(divert: Config['divert'], workers: number, range: PortRange): Promise<boolean> {
  const held: Listening[] = [];
  const addresses = listenAddresses(divert.forwarded);
  try {
    for (const { listen } of portShares(divert, workers, range)) {
      const control = await listenOnEach(addresses, listen, undefined);
      held.push(control);
      held.push(await listenOnEach(addresses, listen, control.endpoints[0]?.port));
    }
    return true;
  } catch {
    return false;
  } finally {
    await Promise.all(held.flatMap(({ servers }) => servers.map(closed)));
  }
}
