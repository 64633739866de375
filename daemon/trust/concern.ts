// What a verdict means for the person who is asked: the reason as data, with the keys to compare with.
import type { Concern, EarlierKey } from '../../shared/trust.js';
import type { PinRecord } from './pin-record.js';
import { serverLabel } from './sentences.js';
import type { Verdict } from './verdict.js';

/** As many as a person compares; the most recently used first. */
const maxEarlier = 8;

/** The concern of a verdict that is asked about, or of a changed key. */
export function concernOf(verdict: Verdict): Concern {
  switch (verdict.kind) {
    case 'replicated':
      return { kind: 'replicated', of: serverLabel({ server: verdict.pin, name: verdict.pin.name }) };
    case 'caValid':
      return { kind: 'vouched', name: verdict.name };
    case 'renewed':
      return { kind: 'renewed', name: verdict.name, earlier: earlierKeys(verdict.pins) };
    case 'changed':
      return { kind: 'changed', earlier: earlierKeys(verdict.pins) };
    case 'new':
      return { kind: 'new', revoked: earlierKeys(verdict.replaces) };
    case 'known':
    case 'fixed':
    case 'revoked':
      return { kind: 'new', revoked: [] };
  }
}

/** Records as a person compares them; several records of one key (addresses of one server) are one. */
export function earlierKeys(pins: readonly PinRecord[]): readonly EarlierKey[] {
  const byKey = new Map<string, EarlierKey>();
  for (const pin of pins) byKey.set(pin.fingerprint, joined(byKey.get(pin.fingerprint), pin));
  return [...byKey.values()].sort((a, b) => lastMet(b) - lastMet(a)).slice(0, maxEarlier);
}

function joined(old: EarlierKey | undefined, pin: PinRecord): EarlierKey {
  const lastUsed = Math.max(old?.lastUsed ?? 0, pin.lastUsed ?? 0);
  const caValidFor = old?.caValidFor ?? pin.caValidFor;
  return {
    fingerprint: pin.fingerprint,
    firstSeen: Math.min(old?.firstSeen ?? pin.firstSeen, pin.firstSeen),
    ...(lastUsed === 0 ? {} : { lastUsed }),
    count: (old?.count ?? 0) + pin.count,
    ...(caValidFor === undefined ? {} : { caValidFor }),
  };
}

function lastMet({ lastUsed, firstSeen }: EarlierKey): number {
  return lastUsed ?? firstSeen;
}
