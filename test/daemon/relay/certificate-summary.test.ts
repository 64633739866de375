import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { certificateSummarySchema } from '../../../shared/trust.js';
import { describeKey, summarizeCertificate } from '../../../daemon/relay/certificate-summary.js';
import { makeCertificates, makeSelfSigned } from './certificate-fixture.js';

const certificates = makeCertificates();
after(certificates.remove);

function summarize(name: string, extra: readonly string[]): ReturnType<typeof summarizeCertificate> {
  const { cert } = makeSelfSigned(certificates.folder, 'odd', name, extra);
  const certificate = new X509Certificate(cert);
  return summarizeCertificate(certificate, describeKey(certificate));
}

test('names and addresses in order, other kinds left out', () => {
  const { names } = summarize('x', [
    '-addext',
    'subjectAltName=DNS:a.test,email:me@a.test,IP:2001:db8::1,URI:ftp://a.test,DNS:b.test',
  ]);
  assert.deepEqual(names, ['a.test', '2001:DB8:0:0:0:0:0:1', 'b.test']);
});

test('no name at all', () => {
  assert.deepEqual(summarize('x', []).names, []);
});

test('a name can’t smuggle in another name or a control character', () => {
  const config = join(certificates.folder, 'odd.cnf');
  const lines = ['[req]', 'distinguished_name=dn', 'x509_extensions=v3', '[dn]', '[v3]'];
  writeFileSync(
    config,
    [...lines, 'subjectAltName=@alt', '[alt]', 'DNS.1=a.test, DNS:evil.test', 'DNS.2=b.test', ''].join('\n'),
  );
  const { names } = summarize('x', ['-config', config]);
  assert.ok(!names.includes('evil.test'), names.join(' | '));
  assert.ok(names.includes('b.test'));
  const { subject } = summarize('a\u001b[31mred', []);
  assert.doesNotMatch(subject, /\p{Cc}/u);
});

test('more names than the schema takes, and longer ones', () => {
  const many = Array.from({ length: 100 }, (_, index) => `DNS:n${index}.test`).join(',');
  const long = `${'l'.repeat(60)}.`.repeat(6);
  const summary = summarize('x', ['-addext', `subjectAltName=DNS:${long}test,${many}`]);
  assert.deepEqual(certificateSummarySchema.parse(summary), summary);
  assert.equal(summary.names.length, 64);
  assert.equal(summary.names[0]?.length, 256);
});

test('the key in words', () => {
  const key = (args: readonly string[]): string => {
    const { cert } = makeSelfSigned(certificates.folder, 'key', 'x', [], args);
    return describeKey(new X509Certificate(cert));
  };
  assert.equal(key(['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']), 'ec prime256v1');
  assert.equal(key(['-newkey', 'rsa:2048']), 'rsa 2048');
  assert.equal(key(['-newkey', 'ed25519']), 'ed25519');
});
