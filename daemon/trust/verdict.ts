// The verdict on a server's key: a pure function of what is remembered, what the server showed and the policy.
//
// Rules, in order; the first that applies decides:
//   0. The administrator has fixed keys for this server, and this is none of them: refuse, whatever a person trusted. Unless a
//      certificate authority vouches for it, and vouched for every fixed key, for the same name: then the other rules decide.
//   1. The key was revoked: refuse, wherever it shows up.
//   2. The key is pinned for this server (address and port, or name and port): go on.
//   3. This server had another key. If a certificate authority vouches for the new key and vouched for the old one,
//      for the same name, it is a renewal; otherwise it is a change: refuse.
//   4. The key is pinned for another server: a replica, by policy.
//   5. A certificate authority vouches for it, for the name that this connection goes to: by policy.
//   6. The key is new: by policy.
import type { Endpoint } from '../../shared/endpoint.js';
import type { KeyFingerprint } from '../../shared/fingerprint.js';
import type { HostPolicy } from '../../shared/policy.js';
import { isAtServer, isFixed, isSameName, type FixedPin, type PinRecord } from './pin-record.js';

export interface VerdictInput {
  /** The records that count for the connection's owner; others may be among them only if they concern neither server nor key. */
  readonly pins: readonly PinRecord[];
  readonly server: Endpoint;
  /** The name that this connection goes to, with proof (never out of the server's own mouth). */
  readonly name: string | undefined;
  readonly fingerprint: KeyFingerprint;
  /** The name for which a certificate authority of this machine vouches. */
  readonly caValidFor: string | undefined;
  readonly policy: HostPolicy['trust'];
}

export type VerdictAction = 'accept' | 'ask' | 'refuse';

/** `rule` is the number above. `pin` and `pins` are the records that decided. */
export type Verdict =
  | {
      readonly kind: 'fixed';
      readonly rule: 0;
      readonly action: 'refuse';
      readonly pins: readonly FixedPin[];
    }
  | { readonly kind: 'revoked'; readonly rule: 1; readonly action: 'refuse'; readonly pin: PinRecord }
  | { readonly kind: 'known'; readonly rule: 2; readonly action: 'accept'; readonly pin: PinRecord }
  | {
      readonly kind: 'renewed';
      readonly rule: 3;
      readonly action: 'accept' | 'ask';
      readonly name: string;
      readonly pins: readonly PinRecord[];
    }
  | {
      readonly kind: 'changed';
      readonly rule: 3;
      readonly action: 'refuse';
      readonly pins: readonly PinRecord[];
    }
  | {
      readonly kind: 'replicated';
      readonly rule: 4;
      readonly action: 'accept' | 'ask';
      readonly pin: PinRecord;
    }
  | { readonly kind: 'caValid'; readonly rule: 5; readonly action: 'accept' | 'ask'; readonly name: string }
  /** `replaces`: revoked keys of this server. Then it is no first contact, and `accept-new` asks all the same. */
  | {
      readonly kind: 'new';
      readonly rule: 6;
      readonly action: VerdictAction;
      readonly replaces: readonly PinRecord[];
    };

/** Judges one key. Total: gives exactly one verdict for every input. */
export function judgeKey(input: VerdictInput): Verdict {
  const { pins, server, name, fingerprint, policy } = input;
  const fixed = fixedInstead(input);
  if (fixed.length > 0) return { kind: 'fixed', rule: 0, action: 'refuse', pins: fixed };

  const sameKey = pins.filter((pin) => pin.fingerprint === fingerprint);
  const revoked = sameKey.find((pin) => pin.revoked);
  if (revoked !== undefined) return { kind: 'revoked', rule: 1, action: 'refuse', pin: revoked };

  const here = pins.filter((pin) => isAtServer(pin, server, name));
  const known = here.find((pin) => pin.fingerprint === fingerprint);
  if (known !== undefined) return { kind: 'known', rule: 2, action: 'accept', pin: known };

  const others = here.filter((pin) => !pin.revoked);
  if (others.length > 0) return judgeOther(others, input);

  const elsewhere = sameKey[0];
  if (elsewhere !== undefined) {
    return { kind: 'replicated', rule: 4, action: policy.replicate, pin: elsewhere };
  }
  if (name !== undefined && isSameName(input.caValidFor, name)) {
    return { kind: 'caValid', rule: 5, action: policy.caValid, name };
  }
  return { kind: 'new', rule: 6, action: actionForNew(policy, here.length > 0), replaces: here };
}

/** The keys that the administrator has fixed for this server, if by rule 0 they exclude the one that it shows; else none. */
export function fixedInstead(
  shown: Pick<VerdictInput, 'pins' | 'server' | 'name' | 'fingerprint' | 'caValidFor'>,
): readonly FixedPin[] {
  const { pins, server, name, fingerprint, caValidFor } = shown;
  const fixed = pins.filter(isFixed).filter((pin) => !pin.revoked && isAtServer(pin, server, name));
  const admits = (pin: FixedPin) => pin.fingerprint === fingerprint;
  const vouched = fixed.every((pin) => isSameName(pin.caValidFor, caValidFor));
  return vouched || fixed.some(admits) ? [] : fixed;
}

/** Every other key of the server must have been vouched for: one that a person pinned is not for an authority to replace. */
function judgeOther(others: readonly PinRecord[], input: VerdictInput): Verdict {
  const name = input.caValidFor;
  const isRenewal = others.every((pin) => isSameName(pin.caValidFor, name));
  if (name === undefined || !isRenewal) return { kind: 'changed', rule: 3, action: 'refuse', pins: others };
  return { kind: 'renewed', rule: 3, action: input.policy.caValid, name, pins: others };
}

function actionForNew(policy: HostPolicy['trust'], hadRevokedKey: boolean): VerdictAction {
  if (policy.unknown === 'refuse') return 'refuse';
  return policy.unknown === 'accept-new' && !hadRevokedKey ? 'accept' : 'ask';
}
