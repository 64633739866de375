// Who a TLS server proved to be, by what it showed in a handshake. Trust is decided elsewhere.
import { X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { Fault } from '../../shared/fault.js';
import type { KeyFingerprint } from '../../shared/fingerprint.js';
import type { ServerIdentity } from '../../shared/trust.js';
import { fingerprintOfCertificate } from '../trust/spki.js';
import { describeKey, summarizeCertificate } from './certificate-summary.js';

/** Bytes of the server's own certificate. Real ones are below 8 KiB; its base64 has to fit the shared schema. */
export const CERTIFICATE_MAX = 48_000;

/** What a handshake showed. */
export interface Shown {
  readonly certificate: Buffer;
  /** Its chain leads to an authority of the context. */
  readonly isChainValid: boolean;
  /** The name that was asked for (SNI). */
  readonly servername: string | undefined;
  readonly protocol: string;
  readonly cipher: string;
}

export interface Proven {
  readonly identity: ServerIdentity;
  readonly fingerprint: KeyFingerprint;
}

/** Throws a Fault of code `network` for a certificate that is too large or can't be read. */
export function readIdentity(shown: Shown): Proven {
  if (shown.certificate.length > CERTIFICATE_MAX) throw tooLargeFault();
  try {
    const { isChainValid, protocol, cipher } = shown;
    const certificate = new X509Certificate(shown.certificate);
    const fingerprint = fingerprintOfCertificate(certificate.raw);
    const caValidFor = isChainValid ? vouchedName(certificate, shown.servername) : undefined;
    const identity: ServerIdentity = {
      mechanism: 'TLS',
      fingerprint,
      ...(caValidFor === undefined ? {} : { caValidFor }),
      ...(isChainValid ? { chainValid: true as const } : {}),
      protocol,
      cipher,
      certificate: summarizeCertificate(certificate, describeKey(certificate)),
    };
    return { identity, fingerprint };
  } catch (error) {
    throw unreadableFault(error);
  }
}

/** The server's certificate has more bytes than anyone needs. */
export function tooLargeFault(): Fault {
  return new Fault('network', 'The server’s certificate is too large to be meant seriously.');
}

export function unreadableFault(cause: unknown): Fault {
  return new Fault('network', 'The server’s certificate can’t be read.', cause);
}

/** The name, if the certificate is made out to it. */
function vouchedName(certificate: X509Certificate, servername: string | undefined): string | undefined {
  if (servername === undefined) return undefined;
  try {
    const mismatch = tls.checkServerIdentity(servername, certificate.toLegacyObject());
    return mismatch === undefined ? servername : undefined;
  } catch {
    // Names in a form that Node refuses to read prove nothing.
    return undefined;
  }
}
