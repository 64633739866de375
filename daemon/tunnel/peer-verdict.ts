// Whether the other end's certificate is good enough, by what was asked for on the command line. Pure.
import { groupFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import type { Role } from './plan.js';

/** What was asked for. */
export interface PeerPolicy {
  /** `-r`: a certificate has to be shown and to be valid; signed by itself will do. */
  readonly require: boolean;
  /** `-S`: a certificate that is shown has to lead to a known authority. */
  readonly strict: boolean;
  /** `-V`: how many certificates may stand above the other end's own. */
  readonly depth: number | undefined;
  /** The only key that is good; then nothing else counts. */
  readonly fingerprint: KeyFingerprint | undefined;
}

/** What the handshake showed. */
export type PeerFacts =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'shown';
      readonly fingerprint: KeyFingerprint;
      /** OpenSSL's code of what is wrong with the chain, if anything. */
      readonly chainError: string | undefined;
      /** Only looked at where the chain's own check stops early. */
      readonly isInTime: boolean;
      /** Why the name does not fit; undefined if it does, or there is none to compare. */
      readonly nameError: string | undefined;
      /** Certificates above the other end's own. */
      readonly depth: number;
    };

/** `unchecked`: accepted, though nobody knows whose it is. */
export type PeerVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'unchecked'; readonly fingerprint: KeyFingerprint | undefined }
  | { readonly kind: 'refused'; readonly sentence: string };

const SELF_SIGNED = 'DEPTH_ZERO_SELF_SIGNED_CERT';

/** Whether a certificate has to be asked for (server) or looked at (client). */
export function looksAtPeer(policy: PeerPolicy): boolean {
  return policy.require || policy.strict || policy.depth !== undefined || policy.fingerprint !== undefined;
}

/** The verdict on the other end of a tunnel in which this end has the given role. */
export function judgePeer(facts: PeerFacts, policy: PeerPolicy, role: Role): PeerVerdict {
  const peer = role === 'client' ? 'server' : 'client';
  if (facts.kind === 'none') {
    return policy.require || policy.fingerprint !== undefined
      ? refused(`The ${peer} showed no certificate, and one is required.`)
      : { kind: 'unchecked', fingerprint: undefined };
  }
  const { fingerprint } = facts;
  if (policy.fingerprint !== undefined) {
    return policy.fingerprint === fingerprint
      ? { kind: 'accepted' }
      : refused(
          `The ${peer} has another key than the one that was given: ${groupFingerprint(fingerprint)}. ` +
            'It is another machine, or somebody stands in between.',
        );
  }
  if (!looksAtPeer(policy)) return { kind: 'unchecked', fingerprint };
  const flaw = flawOf(facts, policy, peer);
  if (flaw !== undefined) return refused(flaw);
  return facts.chainError === SELF_SIGNED ? { kind: 'unchecked', fingerprint } : { kind: 'accepted' };
}

function flawOf(
  facts: Extract<PeerFacts, { kind: 'shown' }>,
  policy: PeerPolicy,
  peer: string,
): string | undefined {
  const its = `The certificate of the ${peer}`;
  if (facts.chainError === SELF_SIGNED) {
    if (policy.strict) return `${its} is signed by itself, and -S refuses that.`;
    return facts.isInTime ? undefined : `${its} has expired, or is not valid yet.`;
  }
  if (facts.chainError !== undefined)
    return `${its} ${SENTENCES[facts.chainError] ?? `is not valid (${facts.chainError})`}.`;
  if (policy.depth !== undefined && facts.depth > policy.depth) {
    return `${its} has ${facts.depth} others above it, and -V allows ${policy.depth}.`;
  }
  return facts.nameError === undefined ? undefined : `${its} is made out to another name: ${facts.nameError}`;
}

const unknownAuthority =
  'comes from an authority that is not known here (-D names the folder of those that are)';

const SENTENCES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'or of its authority has expired',
  CERT_NOT_YET_VALID: 'or of its authority is not valid yet',
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  CERT_SIGNATURE_FAILURE: 'has a wrong signature: it was forged or damaged',
  INVALID_PURPOSE: 'was issued for another purpose',
  CERT_REVOKED: 'was revoked',
};

function refused(sentence: string): PeerVerdict {
  return { kind: 'refused', sentence };
}
