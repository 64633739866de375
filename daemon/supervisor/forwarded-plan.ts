// The part of the redirect plan for a gateway: whose forwarded FTP is secured, and where the workers listen for it.
import fs from 'node:fs';
import { clientRules } from '../client-rule.js';
import type { Config } from '../config.js';
import type { ForwardedPlan } from '../divert/diverter.js';
import type { WorkerShare } from '../privops.js';
import type { SupervisorLog } from './supervisor-log.js';

/** Undefined where the machine's own traffic is all that is to be secured, or all that the redirect layer can see. */
export function forwardedPlan(
  config: Config,
  shares: readonly WorkerShare[],
  log: SupervisorLog,
): ForwardedPlan | undefined {
  const { divert } = config;
  if (!divert.forwarded) return undefined;
  if (divert.layer !== 'nftables') {
    log('warn', `divert.forwarded has no effect with divert.layer = "${divert.layer}"`, {});
    return undefined;
  }
  for (const family of notRouted())
    log('warn', `divert.forwarded is set, but this machine does not forward ${family}`, {});
  return {
    listen: shares.map((share) => share.listen),
    clients: clientRules(config).map(({ match, mode }) => ({ net: match, mode })),
  };
}

const switches = [
  ['IPv4', '/proc/sys/net/ipv4/ip_forward'],
  ['IPv6', '/proc/sys/net/ipv6/conf/all/forwarding'],
] as const;

/** The address families that this machine does not route, in words; one that it does not have is none of them. */
export function notRouted(): readonly string[] {
  return switches.flatMap(([family, file]) => (isOff(file) ? [family] : []));
}

function isOff(file: string): boolean {
  try {
    return fs.readFileSync(file, 'utf8').trim() === '0';
  } catch {
    return false;
  }
}
