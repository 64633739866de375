import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { summarizeCertificate } from '../../../daemon/relay/certificate-summary.js';
import { claimedNames, vouchedAmong } from '../../../daemon/trust/vouched-names.js';
import type { ServerIdentity } from '../../../shared/trust.js';
import { issue, makeAuthority } from './authority.js';
import { key } from './fixture.js';

let folder: string;
let identity: ServerIdentity;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'ftpseal-vouched-'));
  makeAuthority(folder);
  const names = ['A.test', '*.b.test', ...Array.from({ length: 20 }, (_, n) => `n${n}.test`)];
  const certificate = summarizeCertificate(new X509Certificate(issue(folder, 'x', names)), 'ec');
  const fingerprint = key('a');
  identity = { mechanism: 'TLS', fingerprint, protocol: '', cipher: '', chainValid: true, certificate };
});
after(() => {
  rmSync(folder, { recursive: true });
});

describe('names for which an authority vouches', () => {
  it('are those of the certificate, wildcards too, never the subject', () => {
    const asked = ['a.test.', 'c.b.test', 'b.test', 'd.c.b.test', 'x', '192.0.2.1'];
    assert.deepEqual(vouchedAmong(identity, asked), ['a.test.', 'c.b.test']);
  });

  it('are none without a good chain, or with a certificate that can’t be read', () => {
    const { chainValid, ...unchained } = identity;
    assert.equal(chainValid, true);
    assert.deepEqual(vouchedAmong(unchained, ['a.test']), []);
    assert.deepEqual(claimedNames(unchained), []);
    const damaged = { ...identity, certificate: { ...identity.certificate!, der: 'AAAA' } };
    assert.deepEqual(vouchedAmong(damaged, ['a.test']), []);
    assert.deepEqual(claimedNames(damaged), []);
  });

  it('that it claims are bounded, and without wildcards', () => {
    assert.deepEqual(claimedNames(identity).slice(0, 2), ['a.test', 'n0.test']);
    assert.equal(claimedNames(identity).length, 8);
  });
});
