import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LineReader } from '../../../daemon/ftp/line-reader.js';

/** Everything that a reader yields for these chunks, each read as far as it goes. */
function readAll(limit: number, chunks: readonly Uint8Array[]): readonly string[] {
  const reader = new LineReader(limit);
  const out: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (;;) {
      const read = reader.read();
      if (read.kind === 'need-more') break;
      out.push(read.kind === 'line' ? read.raw.toString('latin1') : read.kind);
      if (read.kind === 'too-long') return out;
    }
  }
  return out;
}

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('LineReader', () => {
  it('cuts at line feeds and keeps them', () => {
    assert.deepEqual(readAll(100, [bytesOf('a\r\nb\n\nc')]), ['a\r\n', 'b\n', '\n']);
  });
  it('takes a line of exactly the limit and no more', () => {
    assert.deepEqual(readAll(4, [bytesOf('abc\n')]), ['abc\n']);
    assert.deepEqual(readAll(4, [bytesOf('abcd\n')]), ['too-long']);
    assert.deepEqual(readAll(4, [bytesOf('abcde')]), ['too-long']);
  });
  it('yields the lines before one that is too long', () => {
    assert.deepEqual(readAll(4, [bytesOf('a\nbcdefg')]), ['a\n', 'too-long']);
  });
  it('stays dead, until the rest is taken', () => {
    const reader = new LineReader(2);
    reader.push(bytesOf('abcd'));
    assert.equal(reader.read().kind, 'too-long');
    reader.push(bytesOf('\n'));
    assert.equal(reader.read().kind, 'too-long');
    assert.equal(reader.takeRest().toString(), 'abcd');
    reader.push(bytesOf('e\n'));
    assert.equal(reader.read().kind, 'line');
  });
  it('hands over what is not read, once', () => {
    const reader = new LineReader(10);
    reader.push(bytesOf('a\nbc'));
    assert.equal(reader.read().kind, 'line');
    assert.equal(reader.pending, 2);
    assert.equal(reader.peekRest().toString(), 'bc');
    assert.equal(reader.takeRest().toString(), 'bc');
    assert.equal(reader.takeRest().length, 0);
    assert.equal(reader.pending, 0);
  });
  it('yields the same however the bytes are cut', () => {
    const text = fc.array(fc.constantFrom('a', 'bb', '\n', '\r\n', '\r', '\0'), { maxLength: 60 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(5), { minLength: 1 }), (parts, sizes) => {
        const bytes = bytesOf(parts.join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = 1 + (sizes[n % sizes.length] ?? 0);
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(readAll(12, chunks), readAll(12, [bytes]));
      }),
    );
  });
});
