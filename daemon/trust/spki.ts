// Fingerprints out of certificates and keys. The unit of trust is the key: SHA-256 of its SubjectPublicKeyInfo.
import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { Fault } from '../../shared/fault.js';
import { formatFingerprint, parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import { looksLikeKeyText, parseKeyText } from '../security/safetp/key-text.js';

/** More than any certificate chain; what a person pastes by mistake is often larger. */
const maxTextLength = 256 * 1024;

/** The fingerprint of a certificate's key. Throws a Fault of code `key` if the bytes are no certificate in DER. */
export function fingerprintOfCertificate(der: Uint8Array): KeyFingerprint {
  return fingerprintOfKey(keyOf(readCertificate(der)));
}

/** SHA-256 of the whole certificate, which is what browsers and many server tools show. */
export function certificateDigest(der: Uint8Array): KeyFingerprint {
  return formatFingerprint(createHash('sha256').update(der).digest());
}

/** A key as a person hands it over, and what it was taken from. */
export interface GivenKey {
  readonly fingerprint: KeyFingerprint;
  readonly from: 'fingerprint' | 'certificate' | 'public key' | 'SafeTP public key';
}

/**
 * A key out of text: a SHA-256 fingerprint of the key, a PEM certificate (of several the first, the server's own), a
 * PEM public key or a SafeTP public key. Throws a Fault of code `key` that says what was expected; a private key is refused as such.
 */
export function parseGivenKey(text: string): GivenKey {
  if (text.length > maxTextLength) throw new Fault('key', 'This is too long to be a key or a certificate.');
  const fingerprint = parseFingerprint(text);
  if (fingerprint !== undefined) return { fingerprint, from: 'fingerprint' };
  if (looksLikeKeyText(text))
    return { fingerprint: parseKeyText(text).key.fingerprint, from: 'SafeTP public key' };
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new Fault(
      'key',
      'This is a private key, which must stay with the server. Give its certificate or its public key instead.',
    );
  }
  if (text.includes('-----BEGIN CERTIFICATE-----') || text.includes('-----BEGIN TRUSTED CERTIFICATE-----')) {
    return { fingerprint: fingerprintOfKey(keyOf(readCertificate(text))), from: 'certificate' };
  }
  if (text.includes('PUBLIC KEY-----'))
    return { fingerprint: fingerprintOfKey(readPublicKey(text)), from: 'public key' };
  throw new Fault(
    'key',
    'This is neither a SHA-256 fingerprint (SHA256:… or 64 hex digits) nor a PEM certificate or public key.',
  );
}

/** The fingerprint of a key; a private one has that of its public half. */
export function fingerprintOfPublicKey(key: KeyObject): KeyFingerprint {
  return fingerprintOfKey(key.type === 'private' ? createPublicKey(key) : key);
}

function fingerprintOfKey(key: KeyObject): KeyFingerprint {
  const spki = key.export({ type: 'spki', format: 'der' });
  return formatFingerprint(createHash('sha256').update(spki).digest());
}

function readCertificate(from: Uint8Array | string): X509Certificate {
  try {
    return new X509Certificate(from);
  } catch (error) {
    throw new Fault('key', 'The certificate can’t be read; it is damaged or in an unknown form.', error);
  }
}

/** A certificate can be read while the key in it can't. */
function keyOf(certificate: X509Certificate): KeyObject {
  try {
    return certificate.publicKey;
  } catch (error) {
    throw new Fault(
      'key',
      'The key in the certificate can’t be read; it is damaged or of an unknown kind.',
      error,
    );
  }
}

function readPublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (error) {
    throw new Fault('key', 'The public key can’t be read; it is damaged or in an unknown form.', error);
  }
}
