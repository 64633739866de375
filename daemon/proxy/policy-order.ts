// Which of two policies of one server is the stricter one. Pure.
import type { HostPolicy } from '../../shared/policy.js';

const unknownOrder = ['accept-new', 'ask', 'refuse'] as const;
const askOrder = ['accept', 'ask'] as const;
const cleartextOrder = ['allow', 'warn', 'ask', 'refuse'] as const;

/** `policy` with every answer to a question of trust at least as strict as that of `bound`. */
export function stricter(policy: HostPolicy, bound: HostPolicy): HostPolicy {
  const { trust, fallback } = policy;
  return {
    ...policy,
    trust: {
      ...trust,
      unknown: later(unknownOrder, trust.unknown, bound.trust.unknown),
      caValid: later(askOrder, trust.caValid, bound.trust.caValid),
      replicate: later(askOrder, trust.replicate, bound.trust.replicate),
    },
    fallback: { cleartext: later(cleartextOrder, fallback.cleartext, bound.fallback.cleartext) },
  };
}

/** Whether the policy lets a server go without encryption that the other one encrypts. */
export function loosens(policy: HostPolicy, bound: HostPolicy): boolean {
  return isWithout(policy) && !isWithout(bound);
}

function isWithout({ mode }: HostPolicy): boolean {
  return mode === 'plain' || mode === 'tunnel';
}

function later<const T extends string>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
