import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { brandKey, readBrandedKey } from '../../../../daemon/security/safetp/branded-key.js';
import { bytesField, str } from '../../../../daemon/security/safetp/encoding.js';
import { encodeSignature } from '../../../../daemon/security/safetp/dsa-key.js';
import { flipped, otherKey, serverKey } from './fixture.js';

const malformed = { name: 'Fault', code: 'protocol' };
const { signer, branded } = serverKey;

describe('a branded key', () => {
  it('comes back as it went', () => {
    const read = readBrandedKey(branded.encoded);
    assert.equal(read.brand, 'ftp.example.org');
    assert.equal(read.key.fingerprint, branded.key.fingerprint);
    assert.deepEqual(read.encoded, branded.encoded);
  });
  it('with a bit changed anywhere is refused', () => {
    fc.assert(
      fc.property(fc.nat(branded.encoded.length * 8 - 1), (bit) => {
        assert.throws(() => readBrandedKey(flipped(branded.encoded, bit)), malformed);
      }),
      { numRuns: 150 },
    );
  });
  it('keeps its fingerprint under a new brand', () => {
    const renamed = readBrandedKey(brandKey(signer, 'another name').encoded);
    assert.equal(renamed.key.fingerprint, branded.key.fingerprint);
  });
  it('with another’s brand signature is refused', () => {
    const signed = Buffer.concat([str('ftpseal-brand1'), str('x'), bytesField(branded.key.encoded)]);
    const signature = encodeSignature(otherKey.signer.sign(signed));
    assert.throws(() => readBrandedKey(Buffer.concat([signed, bytesField(signature)])), malformed);
  });
  it('with a hostile brand is refused even if it is rightly signed', () => {
    const signed = Buffer.concat([
      str('ftpseal-brand1'),
      str('gro.elpmaxe\u202e'),
      bytesField(branded.key.encoded),
    ]);
    const encoded = Buffer.concat([signed, bytesField(encodeSignature(signer.sign(signed)))]);
    assert.throws(() => readBrandedKey(encoded), malformed);
    assert.throws(() => brandKey(signer, 'a\u202eb'), RangeError);
  });
});
