import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { adjustChecksum, checksumDelta } from '../../../../daemon/divert/windows/checksum.js';
import { Segment } from '../../../../daemon/divert/windows/segment.js';
import { flag, independentChecksum, packet, tcpAt } from './packet-fixture.js';

// Sums near a multiple of 65535 carry twice.
const ports = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constantFrom(1, 2, 3, 65534, 65535));

describe('checksum', () => {
  test('the incremental sum is the independent one, for any ports and any content', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.tuple(ports, ports, ports, ports),
        fc.boolean(),
        (payload, [fromPort, toPort, newFrom, newTo], isIpv4) => {
          const ends = isIpv4
            ? { from: '10.0.0.1', to: '192.0.2.9' }
            : { from: 'fd00::1', to: '2001:db8::9' };
          const whole = packet({ ...ends, fromPort, toPort, payload });
          const at = tcpAt(whole);
          const before = whole.readUInt16BE(at + 16);
          whole.writeUInt16BE(newFrom, at);
          whole.writeUInt16BE(newTo, at + 2);
          const delta = checksumDelta([fromPort, toPort], [newFrom, newTo]);
          assert.equal(adjustChecksum(before, delta), independentChecksum(whole, at));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('every value of the field comes back after a change and its reverse', () => {
    const there = checksumDelta([45000, 21], [45000, 31100]);
    const back = checksumDelta([45000, 31100], [45000, 21]);
    for (let value = 0; value < 0xffff; value += 1) {
      assert.equal(adjustChecksum(adjustChecksum(value, there), back), value);
    }
  });
});

describe('segment', () => {
  const four = { from: '10.0.0.1', fromPort: 40000, to: '192.0.2.9', toPort: 21, sequence: 0xfedcba98 };
  const six = { ...four, from: 'fd00::1', to: '2001:db8::9' };

  for (const [name, words] of [
    ['IPv4', four],
    ['IPv4 with options', { ...four, optionBytes: 12 }],
    ['IPv6', six],
    ['IPv6 with destination options', { ...six, optionBytes: 16 }],
  ] as const) {
    test(`${name}: ports, flags and sequence are read, anywhere in a buffer`, () => {
      const whole = packet({ ...words, flags: flag.syn });
      const buffer = Buffer.concat([Buffer.alloc(7, 0xff), whole, Buffer.alloc(5, 0xff)]);
      const segment = new Segment();
      assert.equal(segment.parse(buffer, 7, whole.length), 'segment');
      assert.deepEqual(
        [segment.sourcePort, segment.destinationPort, segment.flags, segment.sequence(buffer) >>> 0],
        [40000, 21, flag.syn, 0xfedcba98],
      );
      segment.swapAddresses(buffer);
      segment.setPorts(buffer, 21, 40000);
      const { from: to, to: from } = words;
      const swapped = packet({ ...words, from, to, fromPort: 21, toPort: 40000, flags: flag.syn });
      segment.setChecksum(buffer, swapped.readUInt16BE(tcpAt(swapped) + 16));
      if (name.startsWith('IPv4')) swapped.copy(buffer, 7 + 10, 10, 12);
      assert.deepEqual(buffer.subarray(7, -5), swapped);
      assert.ok([...buffer.subarray(0, 7), ...buffer.subarray(-5)].every((byte) => byte === 0xff));
    });
  }

  test('each way to be no segment', () => {
    const kindOf = (change: (bytes: Buffer) => Buffer, words = four) => {
      const bytes = change(packet(words));
      return new Segment().parse(bytes, 0, bytes.length);
    };
    const with6 = (change: (bytes: Buffer) => Buffer) => kindOf(change, six);
    const set = (at: number, value: number) => (bytes: Buffer) => {
      bytes[at] = value;
      return bytes;
    };
    assert.equal(kindOf(set(9, 17)), 'other', 'UDP');
    assert.equal(kindOf(set(0, 0x44)), 'other', 'a header of 16 bytes');
    assert.equal(kindOf(set(0, 0x55)), 'other', 'version 5');
    assert.equal(kindOf(set(32, 0xf0)), 'other', 'a TCP header longer than the packet');
    assert.equal(
      kindOf((bytes) => bytes.subarray(0, 39)),
      'other',
      'cut off',
    );
    assert.equal(
      kindOf((bytes) => bytes.subarray(0, 10)),
      'other',
    );
    assert.equal(
      with6((bytes) => bytes.subarray(0, 39)),
      'other',
    );
    assert.equal(with6(set(6, 17)), 'other', 'UDP');
    assert.equal(with6(set(5, 200)), 'other', 'longer than it is');
    assert.equal(kindOf(set(6, 0x20)), 'fragment', 'more fragments');
    assert.equal(kindOf(set(7, 0x01)), 'fragment', 'a later fragment');
    assert.equal(
      kindOf((bytes) => bytes.fill(0, 2, 4)),
      'segment',
      'a length that is left to the network card',
    );
  });

  test('an IPv6 fragment header: a whole packet is a segment, a part is a fragment with or without ports', () => {
    const fragmented = (word: number) => {
      const whole = packet(six);
      const header = Buffer.from([6, 0, word >> 8, word & 255, 0, 0, 0, 1]);
      whole[6] = 44;
      whole.writeUInt16BE(whole.readUInt16BE(4) + 8, 4);
      const bytes = Buffer.concat([whole.subarray(0, 40), header, whole.subarray(40)]);
      const segment = new Segment();
      return [segment.parse(bytes, 0, bytes.length), segment.destinationPort];
    };
    assert.deepEqual(fragmented(0), ['segment', 21]);
    assert.deepEqual(fragmented(1), ['fragment', 21], 'the first part');
    assert.deepEqual(fragmented(8 * 100), ['fragment', 0], 'a later part has no ports');
  });

  test('any bytes: no throw, nothing read or written outside', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom(0x45, 0x46, 0x60, 0x4f),
        (bytes, first) => {
          if (bytes.length > 0) bytes[0] = first;
          const segment = new Segment();
          const kind = segment.parse(bytes, 0, bytes.length);
          if (kind === 'segment') assert.ok(segment.tcp + 20 <= bytes.length);
          if (kind !== 'other') assert.ok(segment.source + 2 * segment.addressSize <= bytes.length);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
