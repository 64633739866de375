import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ReplyReader, replyClass } from '../../../daemon/ftp/reply-reader.js';

/** Each line as `code`, `code…` when its reply goes on, or `-` when it belongs to none. */
function shape(chunks: readonly string[]): readonly string[] {
  const reader = new ReplyReader();
  const out: string[] = [];
  for (const chunk of chunks) {
    reader.push(Buffer.from(chunk, 'latin1'));
    for (let read = reader.read(); read.kind === 'line'; read = reader.read()) {
      const { code, last } = read.line;
      out.push(code === undefined ? '-' : `${code}${last ? '' : '…'}`);
    }
  }
  return out;
}

describe('ReplyReader', () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['one line', '220 ready\r\n', ['220']],
    ['a bare code', '220\r\n', ['220']],
    ['a bare line feed', '220 ready\n', ['220']],
    ['several lines', '220-a\r\nb\r\n220 c\r\n', ['220…', '220…', '220']],
    ['an end without blank', '220-a\r\n220\r\n', ['220…', '220']],
    ['other codes inside', '220-a\r\n331 b\r\n220-c\r\n220 d\r\n', ['220…', '220…', '220…', '220']],
    ['blank lines inside', '220-a\r\n\r\n\n220 d\r\n', ['220…', '220…', '220…', '220']],
    ['an indented end is none', '220-a\r\n 220 b\r\n220 c\r\n', ['220…', '220…', '220']],
    ['no code', 'hello\r\n220 x\r\n', ['-', '220']],
    ['a code too long', '2200 x\r\n', ['-']],
    ['a code out of range', '020 x\r\n720 x\r\n99 x\r\n', ['-', '-', '-']],
    ['a code and a letter', '220x\r\n', ['-']],
    ['a blank line', '\r\n', ['-']],
    ['Telnet in front', '\xff\xfb\x01220 x\r\n', ['220']],
    ['a protected reply', '632 abc\r\n', ['632']],
    ['two replies', '220 a\r\n421 b\r\n', ['220', '421']],
  ];
  for (const [title, text, expected] of cases) {
    it(title, () => {
      assert.deepEqual(shape([text]), expected);
      assert.deepEqual(shape(Array.from(text)), expected);
    });
  }

  it('keeps text and bytes', () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from('\xff\xf1257 "\xe9"\r\n', 'latin1'));
    const read = reader.read();
    assert.ok(read.kind === 'line');
    assert.equal(read.line.text, '257 "\xe9"');
    assert.equal(read.line.raw.toString('latin1'), '\xff\xf1257 "\xe9"\r\n');
  });

  it('yields the same however the bytes are cut', () => {
    const line = fc.constantFrom(
      '220 a\r\n',
      '220-b\r\n',
      '220\n',
      'x\r\n',
      '\r\n',
      '331 c\n',
      '\xff\xf1226 d\r\n',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (lines) => {
        const text = lines.join('');
        assert.deepEqual(shape(Array.from(text)), shape([text]));
      }),
    );
  });
});

describe('could the start of a line become a reply?', () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['2', true],
    ['22', true],
    ['220', true],
    ['220 anything', true],
    ['220-', true],
    ['220\r', true],
    ['\r', true],
    [' \t', true],
    ['\xff', true],
    ['\xff\xfb\x012', true],
    ['R', false],
    ['\0', false],
    ['0', false],
    ['7', false],
    ['2x', false],
    ['2201', false],
    ['220x', false],
    [' 220', false],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () => {
      const reader = new ReplyReader();
      reader.push(Buffer.from(text, 'latin1'));
      assert.equal(reader.read().kind, 'need-more');
      assert.equal(reader.isPlausible, expected);
    });
  }
  it('anything may stand inside a reply', () => {
    const reader = new ReplyReader();
    reader.push(Buffer.from('220-a\r\nxyz'));
    assert.equal(reader.read().kind, 'line');
    assert.equal(reader.read().kind, 'need-more');
    assert.equal(reader.isPlausible, true);
    assert.equal(reader.insideReply, true);
  });
});

it('replyClass is the first digit', () => {
  assert.deepEqual([150, 226, 331, 426, 550, 632].map(replyClass), [1, 2, 3, 4, 5, 6]);
});
