// What becomes of a server's policy where people may not decide, or where not all is known that the administrator decided.
import { isSuperuser } from '../../shared/user-id.js';
import type { HostPolicy } from '../../shared/policy.js';
import type { Owner } from './pin-record.js';

/** While the administrator's files can't all be read: what would have passed without a question is asked about. */
export function cautious(policy: HostPolicy): HostPolicy {
  const { unknown } = policy.trust;
  const { cleartext } = policy.fallback;
  return {
    ...policy,
    trust: {
      ...policy.trust,
      unknown: unknown === 'accept-new' ? 'ask' : unknown,
      caValid: 'ask',
      replicate: 'ask',
    },
    fallback: { cleartext: cleartext === 'refuse' ? 'refuse' : 'ask' },
  };
}

/** Whether this owner answers questions of trust. Root does, and whoever stands for the machine, also where others may not. */
export function mayDecide(owner: Owner, peopleMay: boolean): boolean {
  return peopleMay || owner.kind === 'machine' || isSuperuser(owner.uid);
}
