// From a heap of certificates to the chain that a server has to send: its own first, then each one's issuer.
import type { KeyObject, X509Certificate } from 'node:crypto';
import { Fault } from '../../shared/fault.js';
import { groupFingerprint } from '../../shared/fingerprint.js';
import { fingerprintOfCertificate, fingerprintOfPublicKey } from '../trust/spki.js';
import type { FoundCertificate, FoundKey, Material } from './material.js';

/** Where the chain ends. */
export type ChainEnd =
  /** The server's certificate vouches for itself. */
  | { readonly kind: 'self-signed' }
  /** At an authority that this machine trusts, or that was named. */
  | { readonly kind: 'trusted' }
  /** At an authority that vouches for itself and that this machine does not know. */
  | { readonly kind: 'unknown-authority'; readonly authority: X509Certificate }
  /** At a certificate whose issuer is not there. */
  | { readonly kind: 'incomplete'; readonly last: X509Certificate };

export interface Chain {
  readonly leaf: X509Certificate;
  /** What a server sends: `leaf`, then the certificates between it and the authority. */
  readonly sent: readonly X509Certificate[];
  readonly end: ChainEnd;
  /** Whether the given order is the one in which a server has to send them. */
  readonly isInOrder: boolean;
  /** Given, but no part of the chain. */
  readonly unrelated: readonly X509Certificate[];
}

/** A private key and the chain of the certificate that was made for it. */
export interface Identity {
  readonly key: KeyObject;
  readonly chain: Chain;
}

/**
 * Finds the key that a certificate was made for, and that certificate's chain. `authorities` are trusted. Throws a
 * Fault of code `key` if a key or a certificate is missing or none belong together.
 */
export function pairUp(material: Material, authorities: readonly X509Certificate[]): Identity {
  const [firstKey] = material.keys;
  const [firstCertificate] = material.certificates;
  if (firstKey === undefined) {
    throw new Fault('key', 'There is no private key in what was given; name the file with the key as well.');
  }
  if (firstCertificate === undefined) {
    throw new Fault(
      'key',
      'There is no certificate in what was given; name the file with the certificate as well.',
    );
  }
  for (const { key } of material.keys) {
    const leaf = material.certificates.find(({ certificate }) => certificate.checkPrivateKey(key));
    if (leaf !== undefined) {
      const given = material.certificates.map(({ certificate }) => certificate);
      return { key, chain: buildChain(leaf.certificate, given, authorities) };
    }
  }
  throw wrongPair(firstKey, firstCertificate);
}

function wrongPair({ file, key }: FoundKey, { file: other, certificate }: FoundCertificate): Fault {
  return new Fault(
    'key',
    `The private key in ${file} does not belong to the certificate in ${other}. ` +
      `The key is ${groupFingerprint(fingerprintOfPublicKey(key))}, ` +
      `the certificate was made for ${groupFingerprint(fingerprintOfCertificate(certificate.raw))}. ` +
      'Give the key that the certificate was requested with.',
  );
}

/** The chain of the server's own certificate among several, found without the key: the one that issued none of the others. */
export function chainOf(
  given: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): Chain | undefined {
  const leaf = given.find((one) => !given.some((other) => other !== one && isIssuedBy(other, one)));
  return leaf === undefined ? undefined : buildChain(leaf, given, authorities);
}

function buildChain(
  leaf: X509Certificate,
  given: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): Chain {
  const path = [leaf];
  for (let last = leaf; !isSelfSigned(last);) {
    const issuer = given.find((one) => !path.includes(one) && isIssuedBy(last, one));
    if (issuer === undefined) break;
    path.push(issuer);
    last = issuer;
  }
  // An authority vouches for itself, and a client believes its own copy only.
  const sent = path.filter((one) => one === leaf || !isSelfSigned(one));
  const order = given.filter((one) => path.includes(one));
  return {
    leaf,
    sent,
    end: endOf(path, authorities),
    isInOrder: order.every((one, index) => one === path[index]),
    unrelated: given.filter((one) => !path.includes(one)),
  };
}

function endOf(path: readonly X509Certificate[], authorities: readonly X509Certificate[]): ChainEnd {
  const last = path.at(-1);
  if (last === undefined) throw new Error('a chain has at least its own certificate');
  const isTrusted = authorities.some((one) => one.raw.equals(last.raw) || isIssuedBy(last, one));
  if (isTrusted) return { kind: 'trusted' };
  if (!isSelfSigned(last)) return { kind: 'incomplete', last };
  return path.length === 1 ? { kind: 'self-signed' } : { kind: 'unknown-authority', authority: last };
}

/** By its own signature, not only by its names. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && isSignedBy(certificate, certificate);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return (
    certificate.issuer === issuer.subject &&
    certificate.checkIssued(issuer) &&
    isSignedBy(certificate, issuer)
  );
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key of another kind than the signature.
    return false;
  }
}
