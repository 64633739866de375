import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runPacketLoop } from '../../../../daemon/divert/windows/packet-loop.js';
import { Reflection } from '../../../../daemon/divert/windows/reflection.js';
import { Rules } from '../../../../daemon/divert/windows/rules.js';
import { plan } from '../plan-fixture.js';
import { endsOf, flag, packet } from './packet-fixture.js';
import type { PacketSource } from '../../../../daemon/divert/windows/packet-source.js';

const syn = (port: number, to = 21): Buffer =>
  packet({ from: '10.0.0.1', fromPort: port, to: '192.0.2.9', toPort: to, flags: flag.syn });

/** A source that plays batches, and a diary of what was done with them. */
function replay(batches: readonly (readonly Buffer[])[], diary: string[]): PacketSource {
  const slot = 256;
  const bytes = new Uint8Array(slot * 8);
  const batch = {
    bytes,
    offsets: Uint32Array.from({ length: 8 }, (_, index) => index * slot),
    lengths: new Uint32Array(8),
  };
  const ends = (index: number) => {
    const { from, to } = endsOf(bytes.subarray(index * slot, index * slot + (batch.lengths[index] ?? 0)));
    return `${from} > ${to}`;
  };
  let next = 0;
  return {
    batch,
    duty: 'adjust',
    receive: (timeout) => {
      diary.push(`receive ${timeout}`);
      const packets = batches[next];
      next += 1;
      packets?.forEach((one, index) => {
        bytes.set(one, index * slot);
        batch.lengths[index] = one.length;
      });
      return packets?.length;
    },
    reflect: (index) => diary.push(`reflect ${ends(index)}`),
    pass: (index) => diary.push(`pass ${ends(index)}`),
    flush: () => diary.push('flush'),
  };
}

function run(batches: readonly (readonly Buffer[])[], orders: readonly string[]): readonly string[] {
  const diary: string[] = [];
  const reflection = new Reflection({
    ownerOf: () => 1000,
    onOpened: ({ aliasPort }) => diary.push(`opened ${aliasPort}`),
    onClosed: () => diary.push('closed'),
  });
  let turn = 0;
  runPacketLoop({
    source: replay(batches, diary),
    reflection,
    obey: () => {
      const order = orders[turn];
      turn += 1;
      if (order === 'plan') reflection.setRules(new Rules(plan()));
      return order === 'stop' ? 'stop' : 'go-on';
    },
    now: () => turn * 100_000,
  });
  return diary;
}

describe('packet loop', () => {
  test('orders hold for the packets that came after them; a connection is announced before it goes on', () => {
    assert.deepEqual(run([[syn(40000), syn(40001, 80)]], ['plan']), [
      'receive 5000',
      'opened 40000',
      'reflect 192.0.2.9 40000 > 10.0.0.1 31100',
      'pass 10.0.0.1 40001 > 192.0.2.9 80',
      'flush',
      'receive 5000',
    ]);
  });

  test('nothing is swallowed at a stop: it goes on until no packet is left', () => {
    const diary = run([[syn(1)], [syn(2)], [syn(3)], [], [syn(4)]], ['plan', 'stop']);
    assert.deepEqual(
      diary.filter((line) => line.startsWith('opened') || line.startsWith('receive')),
      ['receive 5000', 'opened 1', 'receive 5000', 'opened 2', 'receive 0', 'opened 3', 'receive 0'],
    );
  });

  test('a flood of packets does not keep it from ending', () => {
    const flood = Array.from({ length: 1000 }, () => [syn(1)]);
    const diary = run(flood, ['plan', 'stop']);
    assert.ok(diary.filter((line) => line.startsWith('receive')).length < 100);
  });

  test('what has expired is forgotten without any packet', () => {
    assert.ok(run([[syn(1)], [], []], ['plan']).includes('closed'));
  });
});
