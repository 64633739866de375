import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BlockReader,
  BlockWriter,
  blockLengths,
  type DataStreamOptions,
} from '../../../../daemon/security/safetp/data-blocks.js';
import { dataHeader } from '../../../../daemon/security/safetp/header.js';
import { u32 } from '../../../../daemon/security/safetp/encoding.js';
import { systemRandom } from '../../../../daemon/security/safetp/native/random.js';
import { protect } from '../../../../daemon/security/safetp/protect.js';
import { SessionKeys } from '../../../../daemon/security/safetp/session-keys.js';
import { flipped } from './fixture.js';

const keys = new SessionKeys(systemRandom(48), systemRandom(20));
const options: DataStreamOptions = { keys, direction: 's2c', level: 'P', fileSequence: 9, bufferSize: 4096 };
const level = fc.constantFrom('P' as const, 'S' as const);

function blocksOf(data: Uint8Array, over: Partial<DataStreamOptions> = {}): Buffer {
  const writer = new BlockWriter({ ...options, ...over }, systemRandom);
  return Buffer.concat([...writer.write(data), ...writer.end()]);
}

/** What a reader makes of a stream that comes in pieces, and that ends there. */
function read(
  pieces: readonly Uint8Array[],
  over: Partial<DataStreamOptions> = {},
): { readonly data: Buffer; readonly how: 'complete' | 'truncated' | 'broken' } {
  const reader = new BlockReader({ ...options, ...over });
  const data: Buffer[] = [];
  for (const piece of pieces) {
    const part = reader.push(piece);
    data.push(...part.data);
    if (part.kind === 'broken') return { data: Buffer.concat(data), how: 'broken' };
  }
  return { data: Buffer.concat(data), how: reader.ended ? 'complete' : 'truncated' };
}

function piecesOf(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end));
}

describe('data blocks', () => {
  it('come back as they went, however the stream is cut into pieces', () => {
    fc.assert(
      fc.property(
        level,
        fc.uint8Array({ maxLength: 20_000, size: 'max' }),
        fc.array(fc.nat()),
        (as, data, cuts) => {
          const stream = blocksOf(data, { level: as });
          const result = read(piecesOf(stream, cuts), { level: as });
          assert.equal(result.how, 'complete');
          assert.ok(result.data.equals(data));
        },
      ),
      { numRuns: 60 },
    );
  });
  it('come back byte by byte', () => {
    const stream = blocksOf(Buffer.from('hello'));
    assert.deepEqual(read(Array.from(stream, (byte) => Buffer.from([byte]))), {
      data: Buffer.from('hello'),
      how: 'complete',
    });
  });
  it('carry an empty file', () => {
    assert.deepEqual(read([blocksOf(Buffer.alloc(0))]), { data: Buffer.alloc(0), how: 'complete' });
    assert.deepEqual(read([]).how, 'truncated');
  });
  it('cut anywhere never look whole', () => {
    for (const as of ['P', 'S'] as const) {
      const data = systemRandom(5000);
      const stream = blocksOf(data, { level: as });
      for (let end = 0; end < stream.length; end += 1) {
        const result = read([stream.subarray(0, end)], { level: as });
        assert.notEqual(result.how, 'complete');
        assert.ok(data.subarray(0, result.data.length).equals(result.data));
      }
    }
  });
  it('with a flipped bit anywhere break, and nothing behind it is given out', () => {
    fc.assert(
      fc.property(level, fc.nat(), (as, bit) => {
        const data = systemRandom(6000);
        const result = read([flipped(blocksOf(data, { level: as }), bit)], { level: as });
        assert.notEqual(result.how, 'complete');
        assert.ok(data.subarray(0, result.data.length).equals(result.data));
      }),
      { numRuns: 300 },
    );
  });
  it('change their keys every 64 blocks and stay readable', () => {
    const data = systemRandom(4096 * 130);
    const result = read([blocksOf(data)]);
    assert.equal(result.how, 'complete');
    assert.ok(result.data.equals(data));
    assert.deepEqual(keys.data('s2c', 9, 0), keys.data('s2c', 9, 63));
    assert.notDeepEqual(keys.data('s2c', 9, 63), keys.data('s2c', 9, 64));
    assert.notDeepEqual(keys.data('s2c', 9, 0), keys.data('s2c', 10, 0));
  });
  it('keep to PBSZ in what they carry, and to the lengths that it allows', () => {
    const writer = new BlockWriter(options, systemRandom);
    const lengths = writer
      .write(Buffer.alloc(10_000))
      .filter((part) => part.length === 4)
      .map((part) => part.readUInt32BE());
    assert.equal(lengths.length, 3);
    for (const length of lengths) assert.ok(length <= blockLengths('P', 4096).max && length % 8 === 0);
    assert.deepEqual(blockLengths('P', 4096), { min: 48, max: 4144 });
    assert.deepEqual(blockLengths('S', 4096), { min: 32, max: 4128 });
  });
  it('of an impossible length fail before memory is taken', () => {
    const lengths = {
      P: [0, 40, 47, 49, 56 + 4, 4152, 0x7fffffff, 0xffffffff],
      S: [0, 31, 4129, 0xffffffff],
    };
    for (const as of ['P', 'S'] as const)
      for (const length of lengths[as])
        assert.equal(read([u32(length)], { level: as }).how, 'broken', `${as} ${length}`);
  });
  it('beyond PBSZ are refused even where the length alone would pass', () => {
    for (const extra of [1, 7]) {
      const header = dataHeader('s2c', 'P', 9, 0);
      const bufferSize = 4097;
      const block = protect(
        keys.data('s2c', 9, 0),
        'data',
        header,
        Buffer.alloc(bufferSize + extra),
        systemRandom,
      );
      const passes = block.length <= blockLengths('P', bufferSize).max;
      assert.equal(passes, extra === 1);
      assert.equal(read([u32(block.length), block], { bufferSize }).how, 'broken');
    }
  });
});
