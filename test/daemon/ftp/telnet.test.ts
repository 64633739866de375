import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { telnetPrefixLength } from '../../../daemon/ftp/telnet.js';

describe('Telnet commands in front of a line', () => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['none', 'ABOR', 0],
    ['interrupt and synch', '\xff\xf4\xff\xf2ABOR', 4],
    ['the urgent byte was taken out', '\xff\xf4\xff\xffABOR', 2],
    ['a data mark without IAC', '\xff\xf4\xf2ABOR', 3],
    ['a lone data mark', '\xf2ABOR', 1],
    ['a lone IAC at the end', '\xff', 1],
    ['an unfinished option', '\xff\xfb', 2],
    ['an option', '\xff\xfb\x18ABOR', 3],
    ['an option whose number is a line feed', '\xff\xfb\nABOR', 3],
    ['IAC IAC is data', '\xff\xffABOR', 0],
    ['IAC before a letter is data', '\xffABOR', 0],
    ['blanks between, not behind', ' \xff\xf1 \xff\xf1  ABOR', 6],
    ['blanks alone', '  ABOR', 0],
    ['empty', '', 0],
  ];
  for (const [title, line, expected] of cases) {
    it(title, () => {
      assert.equal(telnetPrefixLength(Buffer.from(line, 'latin1')), expected);
    });
  }
  it('never says more than there is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        assert.ok(telnetPrefixLength(bytes) <= bytes.length);
      }),
    );
  });
});
