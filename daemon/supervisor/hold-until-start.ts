// Before the network is up: what the daemon will redirect is refused until it does. Asks nobody who may not be there yet.
import { refuseUntilApplied } from '../divert/linux/nftables.js';
import { forwardedPlan } from './forwarded-plan.js';
import { proxyIdentity } from './proxy-identity.js';
import { findUser } from './user-database.js';
import type { Config } from '../config.js';
import type { UserId } from '../../shared/user-id.js';

/**
 * Rejects with a Fault if the rules can't be made. Exempt servers that are given by name are refused too, and so are exempt users whom
 * the machine does not know yet.
 */
export async function holdUntilStart(config: Config): Promise<void> {
  const { divert } = config;
  // The other layers are for tests and for systems without this command's need.
  if (divert.layer !== 'nftables') return;
  const { uid } = await proxyIdentity(undefined);
  const uids = await Promise.all(divert.exemptUsers.map(knownUid));
  await refuseUntilApplied({
    ports: divert.ports,
    proxyUid: uid,
    workers: [],
    exemptUids: uids.flat(),
    exemptNets: divert.exemptHosts.flatMap((host) =>
      host.kind === 'net' ? [{ address: host.address, prefix: host.prefix }] : [],
    ),
    servers: [],
    forwarded: forwardedPlan(config, [], () => undefined),
    onFailure: 'closed',
  });
}

async function knownUid(user: string | number): Promise<readonly UserId[]> {
  if (typeof user === 'number') return [user];
  const found = await findUser(user).catch(() => undefined);
  return found === undefined ? [] : [found.uid];
}
