import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { describeKey, summarizeCertificate } from '../../../daemon/relay/certificate-summary.js';
import { viewCertificate } from '../../../tray/manager/certificate-flaws.js';
import { signatureAlgorithm } from '../../../tray/manager/signature-algorithm.js';
import { certificatePem } from '../../daemon/trust/fixture.js';
import { hasOpenssl, makeCertificate } from '../../desktop/certificates.js';

const now = Date.parse('2026-11-20T12:00:00Z');
const view = (certificate: X509Certificate, name: string | undefined, at = now) =>
  viewCertificate(summarizeCertificate(certificate, describeKey(certificate)), name, at);

const needsOpenssl = hasOpenssl ? {} : { skip: 'no openssl' };

describe('a certificate', needsOpenssl, () => {
  const good = makeCertificate('/CN=a.test', ['-addext', 'subjectAltName=DNS:a.test,IP:192.0.2.1']);

  it('in order has no flaw, and every field is shown', () => {
    const { facts, flaws } = view(good, 'a.test', Date.now());
    assert.deepEqual(flaws, []);
    assert.deepEqual(
      facts.map(({ label }) => label),
      ['Issued to', 'Names', 'Issued by', 'Valid from', 'Valid until', 'Key', 'Signature'],
    );
    assert.equal(facts.at(-1)?.value, 'SHA-256 with ECDSA');
  });

  it('that has expired, or is not valid yet, is flawed', () => {
    assert.match(view(good, 'a.test', Date.now() + 500 * 86_400_000).flaws.join(), /expired/);
    assert.match(view(good, 'a.test', Date.now() - 86_400_000).flaws.join(), /not valid yet/);
  });

  it('for another name is flawed; a server known by its address alone has no name to compare', () => {
    assert.match(view(good, 'b.test', Date.now()).flaws.join(), /not made for b\.test/);
    assert.deepEqual(view(good, undefined, Date.now()).flaws, []);
  });

  it('with a short key is flawed', () => {
    const short = makeCertificate('/CN=a.test', ['-newkey', 'rsa:1024']);
    assert.match(view(short, undefined, Date.now()).flaws.join(), /1024 bits are too few/);
    const curve = new X509Certificate(certificatePem);
    assert.deepEqual(view(curve, undefined, Date.parse(curve.validFrom) + 1).flaws, []);
  });

  it('that can’t be read is flawed', () => {
    const summary = { ...summarizeCertificate(good, ''), der: 'AAAA' };
    assert.equal(viewCertificate(summary, undefined, now).flaws.length, 1);
  });

  it('with hidden characters shows them', () => {
    const hostile = makeCertificate('/CN=a\u202etest\u0007<b>x');
    const { facts } = view(hostile, undefined, Date.now());
    const subject = facts[0]?.value ?? '';
    assert.doesNotMatch(subject, /[\p{Cc}\p{Cf}]/u);
    assert.match(subject, /U\+202E|\\|\?/);
  });
});

describe('the signature’s algorithm', needsOpenssl, () => {
  it('is that which openssl used', () => {
    const cases: readonly (readonly [readonly string[], string, boolean])[] = [
      [['-newkey', 'rsa:2048', '-sha256'], 'SHA-256 with RSA', false],
      [['-newkey', 'rsa:2048', '-sha1'], 'SHA-1 with RSA', true],
      [['-newkey', 'ed25519'], 'Ed25519', false],
      [['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss'], 'RSA-PSS', false],
    ];
    for (const [args, name, isWeak] of cases) {
      assert.deepEqual(signatureAlgorithm(makeCertificate('/CN=x', args).raw), { name, isWeak });
    }
  });

  it('of nonsense is unknown, whatever the bytes', () => {
    const der = makeCertificate('/CN=x').raw;
    for (let length = 0; length < der.length; length++) signatureAlgorithm(der.subarray(0, length));
    for (let at = 0; at < der.length; at++) {
      const broken = Buffer.from(der);
      broken[at] = (broken[at] ?? 0) ^ 0xff;
      signatureAlgorithm(broken);
    }
    assert.equal(signatureAlgorithm(Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff])).name, 'unknown');
  });
});
