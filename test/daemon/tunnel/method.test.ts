import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMethod } from '../../../daemon/tunnel/method.js';

describe('-M', () => {
  it('takes the two versions of today, in any spelling', () => {
    for (const text of ['tls1.2', 'TLSv1.2', 'tls12', 'tls1_2']) assert.equal(parseMethod(text), 'TLSv1.2');
    for (const text of ['tls1.3', 'TLSv1.3', 'tls13']) assert.equal(parseMethod(text), 'TLSv1.3');
  });

  it('refuses those of old with the reason of each', () => {
    assert.throws(() => parseMethod('ssl2'), /RFC 6176/);
    assert.throws(() => parseMethod('SSLv3'), /POODLE/);
    assert.throws(() => parseMethod('ssl23'), /SSL 2 and SSL 3/);
    for (const text of ['tls1', 'TLSv1', 'tls1.0', 'tls1.1'])
      assert.throws(() => parseMethod(text), /RFC 8996/);
    assert.throws(() => parseMethod('tls1.4'), /no version of TLS/);
  });
});
