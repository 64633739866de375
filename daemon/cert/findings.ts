// What a client will object to in a server's certificate, each with its own sentence. Pure apart from parsing: no file, no clock.
import type { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { assertNever } from '../../shared/assert-never.js';
import { describeKey, summarizeCertificate } from '../relay/certificate-summary.js';
import { printable } from '../sys/redact.js';
import { isSelfSigned, type Chain } from './chain.js';
import { childrenOf, decode, oidOf } from './der.js';
import { weaknessOf } from './private-key.js';
import { weakHashOf } from './signing.js';

/** `certificate` is its subject as text. */
export type Finding =
  | { readonly kind: 'expired'; readonly certificate: string; readonly since: string }
  | { readonly kind: 'not-yet-valid'; readonly certificate: string; readonly from: string }
  | { readonly kind: 'expires-soon'; readonly certificate: string; readonly days: number }
  | { readonly kind: 'weak-key'; readonly certificate: string; readonly key: string }
  | { readonly kind: 'weak-signature'; readonly certificate: string; readonly hash: string }
  | { readonly kind: 'no-names'; readonly certificate: string }
  | { readonly kind: 'wrong-purpose'; readonly certificate: string }
  | { readonly kind: 'self-signed'; readonly certificate: string }
  | { readonly kind: 'unknown-authority'; readonly certificate: string }
  | { readonly kind: 'incomplete-chain'; readonly certificate: string; readonly missing: string }
  | { readonly kind: 'wrong-order' }
  | { readonly kind: 'unrelated'; readonly certificate: string };

const DAY = 86_400_000;
/** When a renewal should be on its way. */
const SOON_DAYS = 30;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
/** Node's types do not know that it is absent from certificates for every purpose. */
const purposesSchema = z.array(z.string()).optional();
const ANY_PURPOSE = '2.5.29.37.0';

/** Everything that can be said against the chain at the time `now` (milliseconds since 1970), the gravest first. */
export function judgeChain(chain: Chain, now: number): readonly Finding[] {
  return [
    ...chain.sent.flatMap((certificate) => judgeDates(certificate, now)),
    ...judgeLeaf(chain.leaf),
    ...chain.sent.flatMap(judgeStrength),
    ...judgeEnd(chain),
    ...(chain.isInOrder ? [] : [{ kind: 'wrong-order' } as const]),
    ...chain.unrelated.map((one) => ({ kind: 'unrelated', certificate: subjectOf(one) }) as const),
  ];
}

function judgeDates(certificate: X509Certificate, now: number): readonly Finding[] {
  const name = subjectOf(certificate);
  const from = Date.parse(certificate.validFrom);
  const to = Date.parse(certificate.validTo);
  if (now > to) return [{ kind: 'expired', certificate: name, since: dateText(to) }];
  if (now < from) return [{ kind: 'not-yet-valid', certificate: name, from: dateText(from) }];
  const days = Math.floor((to - now) / DAY);
  return days < SOON_DAYS ? [{ kind: 'expires-soon', certificate: name, days }] : [];
}

function judgeLeaf(leaf: X509Certificate): readonly Finding[] {
  const certificate = subjectOf(leaf);
  const purposes = purposesSchema.parse(leaf.keyUsage);
  const isForServers =
    purposes === undefined || purposes.includes(SERVER_AUTH) || purposes.includes(ANY_PURPOSE);
  const hasNames = summarizeCertificate(leaf, '').names.length > 0;
  return [
    ...(hasNames ? [] : [{ kind: 'no-names', certificate } as const]),
    ...(isForServers ? [] : [{ kind: 'wrong-purpose', certificate } as const]),
  ];
}

function judgeStrength(certificate: X509Certificate): readonly Finding[] {
  const name = subjectOf(certificate);
  const weak = weaknessOf(certificate.publicKey);
  // Nobody has to believe the signature of a certificate on itself.
  const hash = isSelfSigned(certificate) ? undefined : weakHashOf(signatureOf(certificate));
  return [
    ...(weak === undefined
      ? []
      : [{ kind: 'weak-key', certificate: name, key: describeKey(certificate) } as const]),
    ...(hash === undefined ? [] : [{ kind: 'weak-signature', certificate: name, hash } as const]),
  ];
}

function judgeEnd({ end, leaf }: Chain): readonly Finding[] {
  switch (end.kind) {
    case 'trusted':
      return [];
    case 'self-signed':
      return [{ kind: 'self-signed', certificate: subjectOf(leaf) }];
    case 'unknown-authority':
      return [{ kind: 'unknown-authority', certificate: subjectOf(end.authority) }];
    case 'incomplete':
      return [
        {
          kind: 'incomplete-chain',
          certificate: subjectOf(end.last),
          missing: oneLine(end.last.issuer),
        },
      ];
    default:
      return assertNever(end);
  }
}

/** The sentence for people: what it is, what it means, what to do. */
export function findingSentence(finding: Finding): string {
  switch (finding.kind) {
    case 'expired':
      return `The certificate of ${finding.certificate} expired on ${finding.since}: clients will refuse it. Renew it.`;
    case 'not-yet-valid':
      return `The certificate of ${finding.certificate} is not valid before ${finding.from}: clients will refuse it until then. Check this machine's clock, or wait.`;
    case 'expires-soon':
      return `The certificate of ${finding.certificate} expires in ${finding.days} day(s); have it renewed.`;
    case 'weak-key':
      return `The key of ${finding.certificate} (${finding.key}) is too weak: it can be broken, and today's clients refuse it. Make a new one.`;
    case 'weak-signature':
      return `The certificate of ${finding.certificate} is signed with ${finding.hash}, which can be forged: clients refuse it. Have it issued anew.`;
    case 'no-names':
      return `The certificate of ${finding.certificate} holds no alternative names: today's clients ignore the common name and will say that the name is wrong.`;
    case 'wrong-purpose':
      return `The certificate of ${finding.certificate} was not issued for servers (its extended key usage says so): clients will refuse it.`;
    case 'self-signed':
      return `The certificate of ${finding.certificate} is signed by itself: clients ask their users, who need its fingerprint from you.`;
    case 'unknown-authority':
      return `The authority ${finding.certificate} is not known to this machine: only clients that were given its certificate will accept this one.`;
    case 'incomplete-chain':
      return `The chain ends at ${finding.certificate}: the certificate of its issuer (${finding.missing}) is missing, and clients that lack it will refuse. Get it from the authority and give it along.`;
    case 'wrong-order':
      return 'The certificates stand in the wrong order: the server’s own has to be first, then each one’s issuer.';
    case 'unrelated':
      return `The certificate of ${finding.certificate} is no part of the chain and is of no use here.`;
    default:
      return assertNever(finding);
  }
}

/** The subject on one line, as the question of trust shows it. */
export function subjectOf(certificate: X509Certificate): string {
  return oneLine(certificate.subject);
}

function oneLine(text: string): string {
  // Node leaves the names out where there are none.
  const line = printable(text.replace(/\n/g, ', '));
  return line === '' ? '(no name)' : line;
}

function signatureOf(certificate: X509Certificate): string | undefined {
  const [, algorithm] = childrenOf(decode(certificate.raw));
  return oidOf(childrenOf(algorithm)[0]);
}

function dateText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
