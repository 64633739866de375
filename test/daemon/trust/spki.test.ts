import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { certificateDigest, fingerprintOfCertificate, parseGivenKey } from '../../../daemon/trust/spki.js';
import { Fault } from '../../../shared/fault.js';
import { parseFingerprint } from '../../../shared/fingerprint.js';
import { certificateDer, certificateHex, certificatePem, keyFingerprint, publicKeyPem } from './fixture.js';

const isKeyFault = (pattern: RegExp) => (error: unknown) =>
  error instanceof Fault && error.code === 'key' && pattern.test(error.userMessage);

describe('fingerprints of keys', () => {
  it('are those that openssl computes', () => {
    assert.equal(fingerprintOfCertificate(certificateDer), keyFingerprint);
    assert.equal(certificateDigest(certificateDer), parseFingerprint(certificateHex));
  });

  it('are the same from a certificate, its public key and its text', () => {
    assert.deepEqual(parseGivenKey(certificatePem), { fingerprint: keyFingerprint, from: 'certificate' });
    assert.deepEqual(parseGivenKey(publicKeyPem), { fingerprint: keyFingerprint, from: 'public key' });
    assert.deepEqual(parseGivenKey(` ${keyFingerprint}\n`), {
      fingerprint: keyFingerprint,
      from: 'fingerprint',
    });
  });

  it('of a chain is the server’s own, with text around it', () => {
    assert.equal(parseGivenKey(`subject=x\n${certificatePem}${certificatePem}`).fingerprint, keyFingerprint);
  });

  it('refuses a private key as such', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    assert.throws(() => parseGivenKey(pem.toString()), isKeyFault(/private key/));
  });

  it('refuses damaged and other text', () => {
    assert.throws(() => parseGivenKey(certificatePem.replace('M', '*')), isKeyFault(/damaged/));
    assert.throws(() => parseGivenKey('ssh-ed25519 AAAA'), isKeyFault(/neither/));
    assert.throws(() => parseGivenKey('a'.repeat(300_000)), isKeyFault(/too long/));
    assert.throws(() => fingerprintOfCertificate(Buffer.from('no')), isKeyFault(/damaged/));
  });
});
