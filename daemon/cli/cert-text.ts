// Certificates and requests as text, in the words and the order of the question of trust, and as JSON.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { groupFingerprint } from '../../shared/fingerprint.js';
import { findingSentence, subjectOf, type Finding } from '../cert/findings.js';
import type { RequestContent } from '../cert/request.js';
import { describeKey, summarizeCertificate } from '../relay/certificate-summary.js';
import { printable } from '../sys/redact.js';
import { certificateDigest, fingerprintOfCertificate, fingerprintOfPublicKey } from '../trust/spki.js';

type Row = readonly [string, string];

/** The rows that a client's question will show, and the digest of the whole certificate. */
export function certificateText(certificate: X509Certificate): string {
  const { subject, issuer, names, validFrom, validTo, keyType } = summary(certificate);
  return rowsText([
    ['Certificate', subjectOf(certificate)],
    ...(names.length > 0 ? [['  names', names.join(', ')] as const] : []),
    ['  issuer', subject === issuer ? 'itself (self-signed)' : issuer],
    ['  valid', `${validFrom} to ${validTo}`],
    ['  key type', keyType],
    ['  SHA-256', groupFingerprint(certificateDigest(certificate.raw))],
    ['Key', groupFingerprint(fingerprintOfCertificate(certificate.raw))],
  ]);
}

export function requestText(request: RequestContent): string {
  return rowsText([
    ['Request', request.commonName === undefined ? '(no name)' : `CN=${request.commonName}`],
    ...(request.names.length > 0 ? [['  names', request.names.join(', ')] as const] : []),
    ['  key type', keyText(request.publicKey)],
    ['Key', groupFingerprint(fingerprintOfPublicKey(request.publicKey))],
  ]);
}

export function privateKeyText(key: KeyObject): string {
  return rowsText([
    ['Private key', keyText(key)],
    ['Key', groupFingerprint(fingerprintOfPublicKey(key))],
  ]);
}

/** One line each, or nothing. */
export function findingsText(findings: readonly Finding[]): string {
  return findings.map((finding) => `Warning: ${findingSentence(finding)}`).join('\n');
}

export function certificateJson(certificate: X509Certificate) {
  const { subject, issuer, names, validFrom, validTo, keyType } = summary(certificate);
  return {
    subject,
    issuer,
    names,
    validFrom: new Date(validFrom).toISOString(),
    validTo: new Date(validTo).toISOString(),
    keyType,
    keyFingerprint: fingerprintOfCertificate(certificate.raw),
    certificateFingerprint: certificateDigest(certificate.raw),
  };
}

export function keyJson(key: KeyObject) {
  return { keyType: keyText(key), keyFingerprint: fingerprintOfPublicKey(key) };
}

export function findingsJson(findings: readonly Finding[]) {
  return findings.map((finding) => ({ ...finding, sentence: findingSentence(finding) }));
}

function summary(certificate: X509Certificate) {
  return summarizeCertificate(certificate, describeKey(certificate));
}

function keyText(key: KeyObject): string {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return `${key.asymmetricKeyType ?? 'unknown'} ${modulusLength ?? namedCurve ?? ''}`.trim();
}

function rowsText(rows: readonly Row[]): string {
  // Names of a certificate may be long, and nothing of them is cut where a person has to compare.
  return rows.map(([name, text]) => `${name.padEnd(14)} ${printableWhole(text)}`).join('\n');
}

function printableWhole(text: string): string {
  return (text.match(/.{1,100}/gsu) ?? []).map(printable).join('');
}
