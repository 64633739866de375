import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBrand } from '../../../../daemon/security/safetp/brand.js';

describe('a brand', () => {
  it('may be any readable text', () => {
    for (const text of ['ftp.example.org', 'Universität Zürich – FTP', '大学', 'a', '😀', 'x'.repeat(256)])
      assert.ok(isBrand(text), text);
  });
  it('has 1 to 256 bytes and is not only white space', () => {
    for (const text of ['', ' ', '\u00a0 \u3000', 'x'.repeat(257), 'é'.repeat(129)])
      assert.ok(!isBrand(text), text);
  });
  it('hides and reorders nothing', () => {
    const hostile = [0, 9, 10, 13, 27, 0x7f, 0x85, 0x9b, 0x200b, 0x200d, 0x2060, 0xfeff, 0x2028, 0x2029];
    const reordering = [0x061c, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069, 0xd800, 0xdc00];
    for (const code of [...hostile, ...reordering])
      assert.ok(!isBrand(`bank${String.fromCharCode(code)}.example`), code.toString(16));
  });
});
