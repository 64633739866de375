import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOwnFeature } from '../../../daemon/ftp/features.js';

describe('a feature line', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    [' AUTH TLS', true],
    [' auth tls', true],
    ['AUTH TLS', true],
    ['\tPROT', true],
    ['211-PBSZ', true],
    [' CCC', true],
    [' AUTHORS', false],
    [' SITE PROT', false],
    [' UTF8', false],
    ['', false],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () => {
      assert.equal(isOwnFeature(text), expected);
    });
  }
});
