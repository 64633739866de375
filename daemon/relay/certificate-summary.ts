// What a person and the verdict see of a certificate. Everything in it was written by the server: bounded, no control characters.
import type { X509Certificate } from 'node:crypto';
import type { CertificateSummary } from '../../shared/trust.js';

const NAMES_MAX = 64;

/** The summary of a certificate, within the bounds of the shared schema. */
export function summarizeCertificate(certificate: X509Certificate, keyType: string): CertificateSummary {
  return {
    subject: clean(certificate.subject, 1024),
    issuer: clean(certificate.issuer, 1024),
    names: parseAlternativeNames(certificate.subjectAltName ?? '').slice(0, NAMES_MAX),
    validFrom: clean(certificate.validFrom, 64),
    validTo: clean(certificate.validTo, 64),
    keyType: clean(keyType, 64),
    der: certificate.raw.toString('base64'),
  };
}

/** `rsa 2048`, `ec prime256v1`, `ed25519`. */
export function describeKey(certificate: X509Certificate): string {
  const key = certificate.publicKey;
  const detail = key.asymmetricKeyDetails?.modulusLength ?? key.asymmetricKeyDetails?.namedCurve ?? '';
  return `${key.asymmetricKeyType ?? 'unknown'} ${detail}`.trim();
}

/** The DNS names and addresses of Node's text form, in which odd values are JSON strings. */
function parseAlternativeNames(text: string): readonly string[] {
  const entry =
    /(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)|[A-Za-z ]+:(?:"(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;
  return [...text.matchAll(entry)].flatMap(([, kind, value]) =>
    kind === undefined || value === undefined ? [] : [clean(value, 256)],
  );
}

function clean(text: string, max: number): string {
  return text
    .replace(/\n/g, ', ')
    .replace(/\p{Cc}/gu, '?')
    .slice(0, max);
}
