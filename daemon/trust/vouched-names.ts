// For which of some names a certificate authority of this machine vouches, by the certificate that the server showed.
import { X509Certificate } from 'node:crypto';
import type { Connection, ServerIdentity } from '../../shared/trust.js';
import { parseHostname } from '../host-match.js';
import { isSameName, type PinRecord } from './pin-record.js';

/** Names of a certificate that are looked at when nothing else is known; real ones come first or are few. */
export const CLAIMED_NAMES_MAX = 8;

/** Those of the names that the certificate is made out to, if its chain is good; in their order, each once. */
export function vouchedAmong(identity: ServerIdentity, names: readonly string[]): readonly string[] {
  const certificate = chainedCertificate(identity);
  const isVouched = (name: string) =>
    isSameName(identity.caValidFor, name) || (certificate !== undefined && isMadeOutTo(certificate, name));
  return [...new Set(names)].filter(isVouched);
}

/** Those in question when a key is judged: the names of the connection, and those for which an authority vouched before. */
export function vouchedHere(
  identity: ServerIdentity,
  { name, alsoNamed = [] }: Pick<Connection, 'name' | 'alsoNamed'>,
  pins: readonly PinRecord[],
): readonly string[] {
  const names = [name, ...alsoNamed, ...pins.map((pin) => pin.caValidFor)];
  return vouchedAmong(
    identity,
    names.filter((one) => one !== undefined),
  );
}

/** The host names that a certificate with a good chain is made out to, without wildcards; at most CLAIMED_NAMES_MAX. */
export function claimedNames(identity: ServerIdentity): readonly string[] {
  const certificate = chainedCertificate(identity);
  if (certificate === undefined) return [];
  const names = (identity.certificate?.names ?? []).flatMap((name) => parseHostname(name) ?? []);
  return [...new Set(names)].filter((name) => isMadeOutTo(certificate, name)).slice(0, CLAIMED_NAMES_MAX);
}

function chainedCertificate({ chainValid, certificate }: ServerIdentity): X509Certificate | undefined {
  if (chainValid !== true || certificate === undefined) return undefined;
  try {
    return new X509Certificate(Buffer.from(certificate.der, 'base64'));
  } catch {
    // What can't be read proves nothing.
    return undefined;
  }
}

/** Never by the subject: authorities do not check what stands there. */
function isMadeOutTo(certificate: X509Certificate, name: string): boolean {
  const host = parseHostname(name);
  return host !== undefined && certificate.checkHost(host, { subject: 'never' }) !== undefined;
}
