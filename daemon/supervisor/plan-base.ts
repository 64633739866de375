// The part of the redirect plan that the configuration decides; names become numbers here.
import { lookup } from 'node:dns/promises';
import { parseIpAddress } from '../../shared/endpoint.js';
import { Fault } from '../../shared/fault.js';
import { userId } from '../cli/user-names.js';
import { findUser } from './user-database.js';
import type { Config } from '../config.js';
import type { Cidr, DivertPlan } from '../divert/diverter.js';
import type { HostMatch } from '../host-match.js';
import type { SupervisorLog } from './supervisor-log.js';
import type { UserId } from '../../shared/user-id.js';

/** The plan without what the proxy reports at run time. */
export type PlanBase = Omit<DivertPlan, 'workers' | 'servers'>;
/** The same without what depends on where the workers will listen (forwarded-plan.ts). */
export type OwnTraffic = Omit<PlanBase, 'forwarded'>;

/**
 * Resolves users and host names once, at the start. An unknown user is a Fault of code `config`; a host name without an
 * address is a warning, because the network may not be up yet, and FTP to that host is then secured like all other.
 */
export async function planBase(
  divert: Config['divert'],
  proxyUid: UserId,
  log: SupervisorLog,
): Promise<OwnTraffic> {
  const nets = await Promise.all(divert.exemptHosts.map((host) => toNets(host, log)));
  return {
    ports: divert.ports,
    proxyUid,
    exemptUids: await Promise.all(divert.exemptUsers.map(toUid)),
    exemptNets: nets.flat(),
    onFailure: divert.onFailure,
  };
}

async function toUid(user: string | number): Promise<UserId> {
  if (typeof user === 'number') return user;
  const found = process.platform === 'win32' ? userId(user) : (await findUser(user))?.uid;
  if (found === undefined) throw new Fault('config', `divert.exempt_users: there is no user ${user}.`);
  return found;
}

async function toNets(host: HostMatch, log: SupervisorLog): Promise<readonly Cidr[]> {
  if (host.kind === 'net') return [{ address: host.address, prefix: host.prefix }];
  if (host.kind === 'wildcard') return [];
  try {
    const answers = await lookup(host.name, { all: true });
    return answers.flatMap((answer) => {
      const address = parseIpAddress(answer.address);
      return address === undefined ? [] : [{ address, prefix: address.includes(':') ? 128 : 32 }];
    });
  } catch {
    log('warn', `divert.exempt_hosts: ${host.name} has no address now, so FTP to it is not exempt`, {});
    return [];
  }
}
