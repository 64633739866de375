// A server's certificate as a person should see it: each field with what is wrong with it. Reads the certificate itself, not
// what anybody says about it.
import { X509Certificate } from 'node:crypto';
import { parseIpAddress } from '../../shared/endpoint.js';
import type { CertificateSummary } from '../../shared/trust.js';
import { displayText } from './display-text.js';
import { signatureAlgorithm } from './signature-algorithm.js';
import type { Fact } from './wire.js';

export interface CertificateView {
  readonly facts: readonly Fact[];
  /** One sentence for each flaw; with any of them a key is not trusted for good by a click. */
  readonly flaws: readonly string[];
}

/** `name`: the name that the connection goes to, where it is known. */
export function viewCertificate(
  summary: CertificateSummary,
  name: string | undefined,
  now: number,
): CertificateView {
  const der = Buffer.from(summary.der, 'base64');
  const parsed = parse(der);
  if (parsed === undefined) {
    const flaw = 'The certificate can’t be read.';
    return { facts: [{ label: 'Certificate', value: 'damaged', flaw }], flaws: [flaw] };
  }
  const isSelfSigned = summary.subject === summary.issuer;
  const facts: readonly Fact[] = [
    { label: 'Issued to', value: displayText(summary.subject, 300) || '(nobody)' },
    { label: 'Names', value: namesText(summary), flaw: nameFlaw(parsed, name) },
    { label: 'Issued by', value: isSelfSigned ? 'itself (self-signed)' : displayText(summary.issuer, 300) },
    { label: 'Valid from', value: dateText(parsed.validFrom), flaw: startFlaw(parsed, now) },
    { label: 'Valid until', value: dateText(parsed.validTo), flaw: endFlaw(parsed, now) },
    { label: 'Key', value: displayText(summary.keyType, 64), flaw: keyFlaw(parsed) },
    { label: 'Signature', ...signatureFact(der, isSelfSigned) },
  ];
  return { facts, flaws: facts.flatMap(({ flaw }) => flaw ?? []) };
}

function parse(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function namesText({ names }: CertificateSummary): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, 8).map((name) => displayText(name, 100));
  return [...shown, ...(names.length > 8 ? [`and ${names.length - 8} more`] : [])].join(', ');
}

function nameFlaw(certificate: X509Certificate, name: string | undefined): string | undefined {
  // A server that is known by its address alone shows a name as a rule; that proves and disproves nothing.
  if (name === undefined || parseIpAddress(name) !== undefined) return undefined;
  if (certificate.checkHost(name) !== undefined) return undefined;
  return `It was not made for ${displayText(name, 100)}.`;
}

function startFlaw(certificate: X509Certificate, now: number): string | undefined {
  return Date.parse(certificate.validFrom) > now ? 'It is not valid yet.' : undefined;
}

function endFlaw(certificate: X509Certificate, now: number): string | undefined {
  const end = Date.parse(certificate.validTo);
  return Number.isNaN(end) || end < now ? 'It has expired.' : undefined;
}

/** What is weak today: RSA and DSA below 2048 bits, curves below 224 bits, DSA at all. */
function keyFlaw({ publicKey }: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey;
  if (type === 'dsa') return 'DSA keys are weak.';
  const bits = details?.modulusLength;
  if (bits !== undefined && bits < 2048) return `${bits} bits are too few for this kind of key.`;
  const curve = details?.namedCurve ?? '';
  return /(?:112|128|160|192)[rkv]?\d*$/.test(curve) ? 'This curve is too small.' : undefined;
}

function signatureFact(der: Buffer, isSelfSigned: boolean): Omit<Fact, 'label'> {
  const algorithm = signatureAlgorithm(der);
  // Nobody else's signature stands on a self-signed certificate: what it is worth, the fingerprint says.
  const isWeak = algorithm.isWeak && !isSelfSigned;
  return { value: algorithm.name, flaw: isWeak ? `${algorithm.name} signatures can be forged.` : undefined };
}

function dateText(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? displayText(text, 64) : new Date(time).toISOString().slice(0, 10);
}
