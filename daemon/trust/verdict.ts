// The verdict on a server's key: a pure function of what is remembered, what the server showed and the policy.
//
// Rules, in order; the first that applies decides:
//   0. The administrator has fixed keys for this server, and this is none of them: refuse, whatever a person trusted. Unless a
//      certificate authority vouches for it, and vouched for every fixed key, for the same name: then the other rules decide.
//   1. The key was revoked: refuse, wherever it shows up.
//   2. The key is pinned for this server (address and port, or name and port): go on. A name that only the DNS ties to the address
//      counts less: a looked-up one not at all here, a configured one only where no other key is pinned for the address.
//   3. This server had another key, at its address or under any of its names. If a certificate authority vouches for the new key
//      under every name for which one vouched for the old ones, it is a renewal; otherwise it is a change: refuse.
//   4. The key is pinned for another server: a replica, by policy.
//   5. A certificate authority vouches for it, for the name that this connection goes to, and, where only the DNS says that it
//      goes there, for every other name that the DNS gave for the address: by policy.
//   6. The key is new: by policy.
import type { Endpoint } from '../../shared/endpoint.js';
import type { KeyFingerprint } from '../../shared/fingerprint.js';
import type { HostPolicy } from '../../shared/policy.js';
import { isBoundByDns, type NameSource } from '../../shared/trust.js';
import { isAtServer, isFixed, isSameName, type FixedPin, type PinRecord } from './pin-record.js';

export interface VerdictInput {
  /** The records that count for the connection's owner; others may be among them only if they concern neither server nor key. */
  readonly pins: readonly PinRecord[];
  readonly server: Endpoint;
  /** The name that this connection goes to, with proof (never out of the server's own mouth). */
  readonly name: string | undefined;
  /** Absent: as the client's own word. */
  readonly nameFrom?: NameSource | undefined;
  /** More names of the address; they can only speak against a key. */
  readonly alsoNamed?: readonly string[] | undefined;
  /** Not all names of the address are at hand. */
  readonly namesIncomplete?: true | undefined;
  readonly fingerprint: KeyFingerprint;
  /** Every name in question here for which a certificate authority of this machine vouches: of the connection and of the pins. */
  readonly vouchedFor: readonly string[];
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
  const { pins, fingerprint, policy } = input;
  const fixed = fixedInstead(input);
  if (fixed.length > 0) return { kind: 'fixed', rule: 0, action: 'refuse', pins: fixed };

  const sameKey = pins.filter((pin) => pin.fingerprint === fingerprint);
  const revoked = sameKey.find((pin) => pin.revoked);
  if (revoked !== undefined) return { kind: 'revoked', rule: 1, action: 'refuse', pin: revoked };

  const atAddress = pins.filter((pin) => isAtServer(pin, input.server, undefined));
  const byName = namesOf(input).flatMap((name) => pinsUnder(name, input));
  const known = findKnown(atAddress, input);
  if (known !== undefined) return { kind: 'known', rule: 2, action: 'accept', pin: known };

  const others = contradicting(atAddress, byName, fingerprint);
  if (others.length > 0) return judgeOther(others, input);

  const elsewhere = sameKey[0];
  if (elsewhere !== undefined) {
    return { kind: 'replicated', rule: 4, action: policy.replicate, pin: elsewhere };
  }
  const name = vouchedName(input);
  if (name !== undefined) return { kind: 'caValid', rule: 5, action: policy.caValid, name };
  const replaces = [...atAddress, ...byName];
  return { kind: 'new', rule: 6, action: actionForNew(policy, replaces.length > 0), replaces };
}

function findKnown(atAddress: readonly PinRecord[], input: VerdictInput): PinRecord | undefined {
  const isThis = (pin: PinRecord) => pin.fingerprint === input.fingerprint;
  const here = atAddress.find(isThis);
  if (here !== undefined || input.name === undefined || input.nameFrom === 'resolver') return here;
  // Whoever forges the answer for a configured name, and holds that server's key, must not pass for the server at this address.
  const isTaken = isBoundByDns(input.nameFrom) && atAddress.some((pin) => !pin.revoked);
  return isTaken ? undefined : pinsUnder(input.name, input).find(isThis);
}

/** The keys that should have been shown. A name with several keys is content with one of them, an address is not. */
function contradicting(
  atAddress: readonly PinRecord[],
  byName: readonly PinRecord[],
  fingerprint: KeyFingerprint,
): readonly PinRecord[] {
  const isOneOfItsKeys = byName.some((pin) => pin.fingerprint === fingerprint);
  return [...atAddress, ...(isOneOfItsKeys ? [] : byName)].filter((pin) => !pin.revoked);
}

/** The keys that the administrator has fixed for this server, if by rule 0 they exclude the one that it shows; else none. */
export function fixedInstead(shown: Omit<VerdictInput, 'policy' | 'namesIncomplete'>): readonly FixedPin[] {
  const { pins, server, fingerprint } = shown;
  const isHere = (pin: PinRecord) =>
    [undefined, ...namesOf(shown)].some((name) => isAtServer(pin, server, name));
  const fixed = pins.filter(isFixed).filter((pin) => !pin.revoked && isHere(pin));
  const admits = (pin: FixedPin) => pin.fingerprint === fingerprint;
  const vouched = fixed.every((pin) => isVouched(pin.caValidFor, shown));
  return vouched || fixed.some(admits) ? [] : fixed;
}

/** Every other key of the server must have been vouched for: one that a person pinned is not for an authority to replace. */
function judgeOther(others: readonly PinRecord[], input: VerdictInput): Verdict {
  const name = others[0]?.caValidFor;
  const isRenewal = others.every((pin) => isVouched(pin.caValidFor, input));
  if (name === undefined || !isRenewal) return { kind: 'changed', rule: 3, action: 'refuse', pins: others };
  return { kind: 'renewed', rule: 3, action: input.policy.caValid, name, pins: others };
}

/**
 * The name under which an authority's word is good enough. Somebody in the middle can have a certificate for a name of his own and
 * make this machine look that name up, but not for the name that the program has looked up as well.
 */
function vouchedName(input: VerdictInput): string | undefined {
  const isUnsure = input.namesIncomplete === true && isBoundByDns(input.nameFrom);
  if (isUnsure || !isVouched(input.name, input)) return undefined;
  return namesOf(input).every((name) => isVouched(name, input)) ? input.name : undefined;
}

function isVouched(name: string | undefined, { vouchedFor }: Pick<VerdictInput, 'vouchedFor'>): boolean {
  return vouchedFor.some((vouched) => isSameName(vouched, name));
}

/** What the program itself said settles where it wants to go; else every name that the DNS gave may be meant. */
function namesOf({
  name,
  nameFrom,
  alsoNamed = [],
}: Pick<VerdictInput, 'name' | 'nameFrom' | 'alsoNamed'>): readonly string[] {
  if (name !== undefined && !isBoundByDns(nameFrom)) return [name];
  return name === undefined ? alsoNamed : [name, ...alsoNamed];
}

/** The records of the name at other addresses than this one. */
function pinsUnder(name: string, { pins, server }: VerdictInput): readonly PinRecord[] {
  return pins.filter((pin) => isAtServer(pin, server, name) && !isAtServer(pin, server, undefined));
}

function actionForNew(policy: HostPolicy['trust'], hadRevokedKey: boolean): VerdictAction {
  if (policy.unknown === 'refuse') return 'refuse';
  return policy.unknown === 'accept-new' && !hadRevokedKey ? 'accept' : 'ask';
}
