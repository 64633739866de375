import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hintedAttempts, mechanismAttempts } from '../../../daemon/security/registry.js';

const words = (attempts: readonly { readonly word: string }[]): readonly string[] =>
  attempts.map(({ word }) => word);

describe('the registry', () => {
  it('offers what policy allows, in its own order (T09)', () => {
    assert.deepEqual(words(mechanismAttempts(['TLS'])), ['TLS', 'SSL']);
    assert.deepEqual(words(mechanismAttempts(['tls', 'unknown'])), ['TLS', 'SSL']);
    assert.deepEqual(words(mechanismAttempts([])), []);
  });
  it('takes hints within what policy allows only', () => {
    assert.deepEqual(words(hintedAttempts(['TLS'], ['TLS-C', 'TLS-P', 'GSSAPI'])), ['TLS-P', 'TLS-C']);
    assert.deepEqual(words(hintedAttempts(['X-SafeTP1'], ['TLS-P'])), []);
  });
});
