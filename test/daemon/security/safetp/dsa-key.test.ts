import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  checkSignature,
  dsaKeyOf,
  encodeSignature,
  readDsaKey,
} from '../../../../daemon/security/safetp/dsa-key.js';
import { mpint } from '../../../../daemon/security/safetp/encoding.js';
import { serverKey } from './fixture.js';

const malformed = { name: 'Fault', code: 'protocol' };
const { key } = serverKey.branded;
const { p, q, g, y } = key.numbers;

describe('a DSA key', () => {
  it('comes back as it went, and its fingerprint is SHA-256 of its encoding', () => {
    const read = readDsaKey(key.encoded);
    assert.deepEqual(read.numbers, key.numbers);
    const digest = createHash('sha256').update(key.encoded).digest('base64').replace('=', '');
    assert.equal(read.fingerprint, `SHA256:${digest}`);
  });
  it('that is degenerate is refused before it is used', () => {
    const keys = {
      'g = 1': { p, q, g: 1n, y },
      'y = 1': { p, q, g, y: 1n },
      'g = y = 1': { p, q, g: 1n, y: 1n },
      'y = 0': { p, q, g, y: 0n },
      'y = p - 1': { p, q, g, y: p - 1n },
      'y = p + 1': { p, q, g, y: p + 1n },
      'y outside the group of order q': { p, q, g, y: y + 1n },
      'g outside the group of order q': { p, q, g: g + 1n, y },
      'composite p': { p: p + 2n * q, q, g, y },
      'composite q': { p, q: q + 1n, g, y },
      'q no divisor of p - 1': { p, q: serverKey.branded.key.numbers.q + 2n, g, y },
      'small p': { p: 23n, q: 11n, g: 2n, y: 3n },
    };
    for (const [what, numbers] of Object.entries(keys))
      assert.throws(() => dsaKeyOf(numbers), malformed, what);
  });
  it('with bytes behind it is refused', () => {
    assert.throws(() => readDsaKey(Buffer.concat([key.encoded, mpint(1n)])), malformed);
    assert.throws(() => readDsaKey(key.encoded.subarray(0, -1)), malformed);
  });
});

describe('a DSA signature', () => {
  const message = Buffer.from('message');
  it('holds for its message and no other', () => {
    const signature = encodeSignature(serverKey.signer.sign(message));
    checkSignature(key, message, signature);
    assert.throws(() => {
      checkSignature(key, Buffer.from('massage'), signature);
    }, malformed);
  });
  it('with r or s out of range is refused', () => {
    const { r, s } = serverKey.signer.sign(message);
    for (const bad of [
      { r: 0n, s },
      { r, s: 0n },
      { r: r + q, s },
      { r, s: s + q },
      { r: q, s },
      { r, s: q },
    ])
      assert.throws(() => {
        checkSignature(key, message, encodeSignature(bad));
      }, malformed);
  });
});
