// What a person's answer to an open question comes to: whether it may be given in this form, and whether it proves the key.
import { Fault } from '../../shared/fault.js';
import { parseFingerprint, type KeyFingerprint } from '../../shared/fingerprint.js';
import { needsTypedName, type ServerIdentity } from '../../shared/trust.js';
import { looksLikeKeyText, parseKeyText } from '../security/safetp/key-text.js';
import { isSameName } from './pin-record.js';
import type { Answer, OpenQuestion } from './prompt-broker.js';
import { certificateDigest, fingerprintOfCertificate } from './spki.js';

/**
 * A person's answer. A pasted fingerprint trusts for good, and only if it is the server's. `confirmed` is the server's
 * name, or its address where it has no name, typed by the person: the only yes to a changed key or a downgrade.
 */
export type GivenAnswer =
  'always' | 'once' | 'refuse' | { readonly pasted: string } | { readonly confirmed: string };

/** What the given answer comes to. Throws the Fault that says why it counts for nothing. */
export function answerOf(open: OpenQuestion, given: GivenAnswer): Answer {
  if (given === 'refuse') return 'refuse';
  if (typeof given === 'object' && 'pasted' in given) return answerOfPasted(open, given.pasted);
  if (typeof given === 'object') return answerOfTyped(open, given.confirmed);
  if (!needsTypedName(open.concern)) return given;
  throw new Fault(
    'usage',
    'This may be an attack. To go on all the same, give the server’s name or address as the answer. Nothing was trusted.',
  );
}

function answerOfTyped({ connection, concern }: OpenQuestion, typed: string): 'always' {
  const expected = connection.name ?? connection.server.address;
  if (needsTypedName(concern) && isSameName(typed.trim(), expected)) return 'always';
  throw new Fault('usage', 'This is not the name of the server in question. Nothing was trusted.');
}

/** People paste what their source shows: the fingerprint of the key or of the certificate, or a SafeTP key whole. Each proves the key. */
function answerOfPasted({ question }: OpenQuestion, pasted: string): 'always' {
  if (question.kind !== 'key') {
    throw new Fault('usage', 'This question is about cleartext; a fingerprint is no answer to it.');
  }
  const given = looksLikeKeyText(pasted) ? parseKeyText(pasted).key.fingerprint : parseFingerprint(pasted);
  if (given === undefined) {
    throw new Fault(
      'key',
      'This is no SHA-256 fingerprint (SHA256:… or 64 hex digits). Nothing was trusted.',
    );
  }
  const { identity } = question;
  if (given === identity.fingerprint || isCertificateOf(identity, given)) return 'always';
  throw new Fault(
    'key',
    'The fingerprint does not match the key that the server showed. Nothing was trusted.',
  );
}

/** The certificate came with the question, so it counts only if it really holds the key that is asked about. */
function isCertificateOf(identity: ServerIdentity, given: KeyFingerprint): boolean {
  if (identity.certificate === undefined) return false;
  const der = Buffer.from(identity.certificate.der, 'base64');
  return certificateDigest(der) === given && fingerprintOfCertificate(der) === identity.fingerprint;
}
