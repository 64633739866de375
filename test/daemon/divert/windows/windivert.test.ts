// The parts of the WinDivert source that need no Windows.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatCaptureFilter } from '../../../../daemon/divert/windows/capture-filter.js';
import { isDriverOf } from '../../../../daemon/divert/windows/driver-service.js';
import { Reflection } from '../../../../daemon/divert/windows/reflection.js';
import { Rules } from '../../../../daemon/divert/windows/rules.js';
import { ADDRESS_SIZE, WinDivertBatch } from '../../../../daemon/divert/windows/windivert-batch.js';
import { WinDivertSource } from '../../../../daemon/divert/windows/windivert-source.js';
import { runPacketLoop } from '../../../../daemon/divert/windows/packet-loop.js';
import { winDivertFault } from '../../../../daemon/divert/windows/windivert.js';
import { Fault } from '../../../../shared/fault.js';
import { plan, port, range } from '../plan-fixture.js';
import { endsOf, flag, packet } from './packet-fixture.js';

/** What the driver says of an outbound packet with both sums valid. */
function addressOf(mark: number): Buffer {
  const bytes = Buffer.alloc(ADDRESS_SIZE, mark);
  bytes[10] = 0x02 | 0x20 | 0x40;
  return bytes;
}

function fill(batch: WinDivertBatch, packets: readonly Buffer[]): number {
  const whole = Buffer.concat(packets);
  whole.copy(batch.bytes);
  Buffer.concat(packets.map((_, index) => addressOf(index + 1))).copy(batch.addresses);
  return batch.begin(whole.length, packets.length * ADDRESS_SIZE);
}

const four = { from: '10.0.0.1', fromPort: 40000, to: '192.0.2.9', toPort: 21, flags: flag.syn };
const six = { ...four, from: 'fd00::1', to: '2001:db8::9' };

describe('batch', () => {
  test('packets of both families are found, kept ones move together with their addresses', () => {
    const payload = fc.uint8Array({ maxLength: 200 });
    const one = fc.record({
      family: fc.constantFrom(4, 6),
      payload,
      fate: fc.constantFrom('pass', 'reflect', 'drop'),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 20 }), (all) => {
        const batch = new WinDivertBatch(65_536);
        const packets = all.map(({ family, payload: bytes }) =>
          packet({ ...(family === 4 ? four : six), payload: bytes }),
        );
        assert.equal(fill(batch, packets), packets.length);
        packets.forEach((bytes, index) => {
          const at = batch.offsets[index] ?? 0;
          assert.deepEqual(batch.bytes.subarray(at, at + (batch.lengths[index] ?? 0)), bytes);
        });
        all.forEach(({ fate }, index) => {
          if (fate === 'pass') batch.pass(index);
          if (fate === 'reflect') batch.reflect(index);
        });
        const { length, addressLength } = batch.compact();
        const kept = packets.filter((_, index) => all[index]?.fate !== 'drop');
        assert.deepEqual(batch.bytes.subarray(0, length), Buffer.concat(kept));
        const expected = all.flatMap(({ fate }, index) => {
          const address = addressOf(index + 1);
          if (fate === 'reflect') address[10] = 0;
          return fate === 'drop' ? [] : [address];
        });
        assert.deepEqual(batch.addresses.subarray(0, addressLength), Buffer.concat(expected));
      }),
    );
  });

  test('a length that the network card was to fill in takes the rest; nonsense ends nowhere outside', () => {
    const batch = new WinDivertBatch(65_536);
    const large = packet({ ...four, payload: Buffer.alloc(3000) });
    large.writeUInt16BE(0, 2);
    assert.equal(fill(batch, [packet(four), large]), 2);
    assert.equal(batch.lengths[1], large.length);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 10 }),
        (bytes, count) => {
          Buffer.from(bytes).copy(batch.bytes);
          const found = batch.begin(bytes.length, count * ADDRESS_SIZE);
          const total = batch.lengths.subarray(0, found).reduce((sum, size) => sum + size, 0);
          assert.ok(found <= count && total <= bytes.length);
        },
      ),
    );
  });
});

test('a loop over WinDivert: what is reflected comes back in, what is dropped is not sent', () => {
  const sent: string[] = [];
  const batches = [
    [packet(four), packet({ ...six, toPort: 80 }), packet({ ...four, fromPort: 31100, flags: flag.rst })],
  ];
  const source = new WinDivertSource(
    {
      open: () => 1,
      receive: (_handle, batch) => {
        const packets = batches.shift();
        return packets === undefined ? undefined : fill(batch, packets);
      },
      send: (_handle, batch) => {
        const { length, addressLength } = batch.compact();
        const count = batch.begin(length, addressLength);
        for (let index = 0; index < count; index += 1) {
          const at = batch.offsets[index] ?? 0;
          const { from, to } = endsOf(batch.bytes.subarray(at, at + (batch.lengths[index] ?? 0)));
          const way = (batch.addresses[index * ADDRESS_SIZE + 10] ?? 0) & 2 ? 'out' : 'in';
          sent.push(`${way} ${from} > ${to}`);
        }
      },
      shutdown: () => undefined,
      close: () => undefined,
    },
    1,
  );
  const reflection = new Reflection({ ownerOf: () => 1, onOpened: () => 0, onClosed: () => 0 });
  reflection.setRules(new Rules(plan()));
  runPacketLoop({ source, reflection, obey: () => 'go-on', now: () => 1 });
  assert.deepEqual(sent, ['in 192.0.2.9 40000 > 10.0.0.1 31100', 'out fd00::1 40000 > 2001:db8::9 80']);
});

test('the capture filter names what the engine has to see, and nothing else', () => {
  const ranges = {
    listen: [range('31116-31131'), range('31100-31115'), range('31140-31140')],
    active: range('23300-24299'),
    virtual: [range('21210-22209')],
    upstream: range('61000-64999'),
  };
  assert.equal(
    formatCaptureFilter({ ports: [port(21), port(2121)] }, ranges),
    'outbound and !loopback and (fragment or (tcp and (' +
      '(tcp.SrcPort >= 31100 and tcp.SrcPort <= 31131) or tcp.SrcPort == 31140 or ' +
      '(tcp.SrcPort >= 23300 and tcp.SrcPort <= 24299) or ' +
      '((tcp.SrcPort < 61000 or tcp.SrcPort > 64999) and ' +
      '(tcp.DstPort == 21 or tcp.DstPort == 2121 or tcp.DstPort == 20 or (tcp.DstPort >= 21210 and tcp.DstPort <= 22209))))))',
  );
  const many = Array.from({ length: 200 }, (_, index) => port(index + 1));
  assert.throws(() => formatCaptureFilter({ ports: many }, ranges), Fault);
});

test('each error of the driver has a sentence of its own', () => {
  const sentences = [2, 5, 87, 577, 1060, 1275, 4711].map((code) => winDivertFault(code).userMessage);
  assert.equal(new Set(sentences).size, sentences.length);
  assert.match(sentences.at(-1) ?? '', /4711/);
  assert.equal(winDivertFault(5).code, 'not-permitted');
});

test('the driver of this folder is told from another program’s, however its path is written', () => {
  const answer = (image: string) =>
    `\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\…\r\n    ImagePath    REG_EXPAND_SZ    ${image}\r\n\r\n`;
  const folder = 'C:\\Program Files\\ftpseal\\windivert';
  for (const image of [
    '\\??\\C:\\Program Files\\ftpseal\\windivert\\WinDivert64.sys',
    '"c:\\program files\\FTPSEAL\\windivert\\windivert64.sys"',
  ])
    assert.equal(isDriverOf(folder, answer(image)), true, image);
  for (const other of [
    answer('\\??\\C:\\Other\\WinDivert64.sys'),
    answer(`${folder}\\Other.sys`),
    'ERROR',
    '',
  ])
    assert.equal(isDriverOf(folder, other), false, other);
});
