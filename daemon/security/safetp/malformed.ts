// The one error of every decoder and check: something a peer sent is not as the protocol says.
import { Fault } from '../../../shared/fault.js';

/** A fault of code `protocol`; `what` completes "The peer sent …" and quotes nothing of it. */
export function malformed(what: string): Fault {
  return new Fault('protocol', `X-SafeTP1: ${what}.`);
}

/** `make`'s value, or the fault it failed with; any other error is a bug and passes. */
export function attempt<T>(
  make: () => T,
): { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'malformed'; readonly fault: Fault } {
  try {
    return { kind: 'ok', value: make() };
  } catch (error) {
    if (error instanceof Fault && error.code === 'protocol') return { kind: 'malformed', fault: error };
    throw error;
  }
}
