import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatEntry } from '../../../daemon/sys/log-line.js';
import { formatLine } from '../../../daemon/sys/log-record.js';
import { visible, visibleJson, visibleLine } from '../../../daemon/sys/visible.js';

/** Colours, an 8-bit control sequence, a carriage return, direction marks, a line separator, a tag character beyond 16 bits. */
const hostile = 'a\u001b[31mb\u009b2Jc\rd\u202ee\u2066f\u2028g\u{e0041}h\u0000i\u007fj\ud800k';
const bad = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe('text from others', () => {
  it('shows every character, and stays as it is where it only has such', () => {
    assert.equal(visible(hostile), 'a?[31mb?2Jc?d?e?f?g?h?i?j?k');
    const plain = 'Büro – Sicherung, 文書, 🗝\nzweite Zeile';
    assert.equal(visible(plain), plain);
    assert.equal(visibleLine('one\r\n  two\nthree\n'), 'one two three');
  });

  it('as JSON means the same as before, and shows every character too', () => {
    assert.equal(visibleJson('["\u202e"]'), '["\\u202e"]');
    assert.equal(visibleJson('["\u{e0041}"]'), '["\\udb40\\udc41"]');
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
        const given = { value, text: text + hostile };
        const shown = visibleJson(JSON.stringify(given, undefined, 2));
        return !bad.test(shown) && JSON.stringify(JSON.parse(shown)) === JSON.stringify(given);
      }),
    );
  });

  it('is one line in a log for people, whoever made the entry', () => {
    const entry = { level: 'warn', time: 0, message: 'a\n1970-01-01 00:00:00 info  forged' };
    const line = formatEntry(entry, { name: hostile, [hostile]: 1 });
    assert.ok(!bad.test(line) && !line.includes('\n'), line);
    for (const raw of [JSON.stringify({ ...entry, name: hostile }), `no json ${hostile}\nx`]) {
      assert.ok(!bad.test(formatLine(raw)) && !formatLine(raw).includes('\n'));
    }
  });
});
