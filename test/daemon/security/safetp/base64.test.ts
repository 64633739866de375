import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromBase64, toBase64 } from '../../../../daemon/security/safetp/base64.js';

const malformed = { name: 'Fault', code: 'protocol' };

describe('canonical base64', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        assert.deepEqual(fromBase64(toBase64(bytes), 10_000), Buffer.from(bytes));
      }),
    );
  });
  it('is the only text of its value', () => {
    for (const text of [
      '',
      'YQ',
      'YQ=',
      'YR==',
      'YWJ=',
      'Y Q==',
      'YQ==\r\n',
      'YQ==YQ==',
      '-_-_',
      'YQ===',
      '=',
      '====',
    ])
      assert.throws(() => fromBase64(text, 100), malformed, text);
  });
  it('keeps to its limit', () => {
    assert.equal(fromBase64('YWE=', 2).length, 2);
    assert.throws(() => fromBase64('YWFh', 2), malformed);
    assert.throws(() => fromBase64('YWFhYQ==', 2), malformed);
  });
});
