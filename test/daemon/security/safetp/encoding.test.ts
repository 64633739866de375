import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  FieldReader,
  bytesField,
  mpint,
  readFields,
  str,
  u32,
} from '../../../../daemon/security/safetp/encoding.js';
import { Fault } from '../../../../shared/fault.js';

const malformed = { name: 'Fault', code: 'protocol' };

describe('the encodings of X-SafeTP1', () => {
  it('are as the specification shows them', () => {
    assert.equal(u32(0x01020304).toString('hex'), '01020304');
    assert.equal(bytesField(Buffer.from('abc')).toString('hex'), '00000003616263');
    assert.equal(mpint(0n).toString('hex'), '00000000');
    assert.equal(mpint(0x80n).toString('hex'), '0000000180');
    assert.equal(mpint(0x100n).toString('hex'), '000000020100');
    assert.equal(str('é').toString('hex'), '00000002c3a9');
  });
  it('come back as they went', () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.bigInt({ min: 0n }),
        fc.string({ unit: 'grapheme' }),
        (bytes, number, text) => {
          const message = Buffer.concat([bytesField(bytes), mpint(number), str(text), u32(7)]);
          const read = readFields(message, (fields) => [
            Buffer.from(fields.bytes(1000)),
            fields.mpint(1000),
            fields.str(10_000),
            fields.u32(),
          ]);
          assert.deepEqual(read, [Buffer.from(bytes), number, text, 7]);
        },
      ),
    );
  });
  it('refuse bytes behind the end, and lengths past it', () => {
    assert.throws(() => readFields(Buffer.from('0000000161ff', 'hex'), (f) => f.bytes(9)), malformed);
    assert.throws(() => readFields(Buffer.from('0000000261', 'hex'), (f) => f.bytes(9)), malformed);
    assert.throws(() => readFields(Buffer.from('ffffffff61', 'hex'), (f) => f.bytes(0xffffffff)), malformed);
    assert.throws(() => readFields(Buffer.from('000000', 'hex'), (f) => f.u32()), malformed);
  });
  it('keep to their limits', () => {
    assert.equal(
      readFields(bytesField(Buffer.alloc(9)), (f) => f.bytes(9).length),
      9,
    );
    assert.throws(() => readFields(bytesField(Buffer.alloc(10)), (f) => f.bytes(9)), malformed);
    assert.throws(() => readFields(bytesField(Buffer.alloc(31)), (f) => f.fixed(32)), malformed);
    assert.throws(() => readFields(bytesField(Buffer.alloc(33)), (f) => f.fixed(32)), malformed);
  });
  it('refuse a number with a leading zero byte, and text that is not UTF-8', () => {
    assert.throws(() => readFields(Buffer.from('000000020001', 'hex'), (f) => f.mpint(9)), malformed);
    assert.throws(() => readFields(Buffer.from('0000000100', 'hex'), (f) => f.mpint(9)), malformed);
    for (const bad of ['c0af', 'ff', 'eda080', 'c3'])
      assert.throws(() => readFields(bytesField(Buffer.from(bad, 'hex')), (f) => f.str(9)), malformed);
    assert.equal(
      readFields(bytesField(Buffer.from('efbfbd', 'hex')), (f) => f.str(9)),
      '\ufffd',
    );
  });
  it('fail with one typed error, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const fields = new FieldReader(bytes);
        try {
          fields.mpint(16);
          fields.str(16);
          fields.fixed(8);
          fields.end();
        } catch (error) {
          assert.ok(error instanceof Fault && error.code === 'protocol');
        }
      }),
    );
  });
});
