// The redirect layer of Windows with a stand-in for the driver: the calls of WinDivert, its filter and checksum functions (the real
// ones), batches, address flags, order of stopping. What the packets mean is test/daemon/divert/windows and test/lab/tun.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { endpoint, plan, port, server } from '../daemon/divert/plan-fixture.js';
import {
  endsOf,
  flag,
  independentChecksum,
  independentHeaderChecksum,
  packet,
  tcpAt,
} from '../daemon/divert/windows/packet-fixture.js';
import { Wine } from './harness/wine.js';
import { Engine } from './windivert/engine.js';
import { OUTBOUND, SUMS_VALID } from './windivert/messages.js';
import { StandInNetwork, buildStandIn, type Sent } from './windivert/stand-in.js';
import type { DivertPlan } from '../../daemon/divert/diverter.js';

const four = { from: '10.0.0.1', fromPort: 40_000, to: '192.0.2.9', toPort: 21, flags: flag.syn };
const six = { ...four, from: 'fd00::1', to: '2001:db8::9' };
const known = [server(four.to, 23_300), server(six.to, 23_301)];

/** `in` or `out`, who sent it, from and to. */
function words({ by, flags, bytes }: Sent): string {
  const { from, to } = endsOf(bytes);
  return `${(flags & OUTBOUND) === 0 ? 'in' : 'out'} ${from} > ${to}${by === 'itself' ? ' (not captured)' : ''}`;
}

function isRightlySummed(bytes: Buffer): boolean {
  const at = tcpAt(bytes);
  const header = (bytes[0] ?? 0) >> 4 === 6 || bytes.readUInt16BE(10) === independentHeaderChecksum(bytes);
  return header && bytes.readUInt16BE(at + 16) === independentChecksum(bytes, at);
}

describe('the redirect layer of Windows, with a stand-in driver', { timeout: 240_000 }, () => {
  let wine: Wine;
  let dll: string;
  let network: StandInNetwork;
  let engine: Engine;
  before(async () => {
    wine = Wine.open();
    dll = buildStandIn(path.join(wine.folder, 'windivert'));
    network = await StandInNetwork.open();
  });
  after(async () => {
    network.close();
    await wine.close();
  });

  async function apply(changes: Partial<DivertPlan> = {}): Promise<void> {
    assert.deepEqual(await engine.ask({ kind: 'apply', plan: plan({ servers: known, ...changes }) }), {});
  }

  describe('while it runs', () => {
    before(async () => {
      engine = await Engine.start(wine, network, dll);
      await apply();
    });
    beforeEach(() => {
      network.handle.sent.length = 0;
    });
    after(() => engine.process.kill());

    it('opens WinDivert with a filter that its compiler takes, and with a longer queue', async () => {
      await network.handle.happened('parameter 2 = 33554432');
      assert.deepEqual(network.handle.events, ['parameter 0 = 16384', 'parameter 2 = 33554432']);
      assert.match(network.handle.filter, /^outbound and !loopback and \(fragment or /);
    });

    it('reflects, passes and drops within one batch of both families; the filter keeps the rest away', async () => {
      const packets = [
        packet(four),
        packet({ ...six, fromPort: 40_001 }),
        packet({ ...four, toPort: 80 }),
        packet({ ...four, fromPort: 61_000 }),
        packet({ ...six, fromPort: 31_100, flags: flag.ack }),
        packet({ ...four, to: '198.51.100.1', toPort: 21_300 }),
        packet({ ...four, to: known[0]?.address ?? '', toPort: 21_300, fromPort: 40_002 }),
        packet({ ...four, flags: flag.ack, sequence: 2, payload: Buffer.from('USER anna\r\n') }),
      ];
      network.handle.arrive(packets);
      const sent = await network.handle.hasSent(7);
      assert.deepEqual(sent.map(words).sort(), [
        'in 192.0.2.9 40000 > 10.0.0.1 31100',
        'in 192.0.2.9 40000 > 10.0.0.1 31100',
        'in 192.0.2.9 40002 > 10.0.0.1 31101',
        'in 2001:db8::9 40001 > fd00::1 31108',
        'out 10.0.0.1 40000 > 192.0.2.9 80 (not captured)',
        'out 10.0.0.1 40000 > 198.51.100.1 21300',
        'out 10.0.0.1 61000 > 192.0.2.9 21 (not captured)',
      ]);
      const ours = sent.filter(({ by }) => by === 'program');
      assert.deepEqual(
        ours.map(({ index }) => index),
        [0, 1, 5, 6, 7],
        'each with its own address, in order',
      );
      for (const { flags, bytes, index } of ours) {
        assert.equal(flags & (OUTBOUND | SUMS_VALID), index === 5 ? OUTBOUND | SUMS_VALID : 0);
        assert.ok(isRightlySummed(bytes), words({ by: 'program', flags, bytes, index }));
      }
      assert.deepEqual(ours[2]?.bytes, packets[5], 'what passes is as it was');
      assert.deepEqual(ours[4]?.bytes.subarray(40), Buffer.from('USER anna\r\n'));
    });

    it('tells the proxy where a connection was going, and sends its answer as the server’s', async () => {
      network.handle.arrive([packet({ ...four, fromPort: 40_010 })]);
      const [first] = await network.handle.hasSent(1);
      assert.ok(first !== undefined);
      const worker = Number(endsOf(first.bytes).to.split(' ')[1]);
      const ends = { peer: endpoint(four.to, 40_010), local: endpoint(four.from, worker) };
      const { origin } = await engine.ask({ kind: 'origin', ...ends });
      // No process of this Windows has such a socket.
      assert.deepEqual(origin, { client: endpoint(four.from, 40_010), server: endpoint(four.to, 21) });
      const back = {
        from: four.from,
        fromPort: worker,
        to: four.to,
        toPort: 40_010,
        flags: flag.syn | flag.ack,
      };
      network.handle.arrive([packet(back)]);
      assert.equal(words((await network.handle.hasSent(2))[1] ?? first), 'in 192.0.2.9 21 > 10.0.0.1 40010');
    });

    it('makes an active data connection come from the server’s address, port 20', async () => {
      for (const { from, to, fromPort } of [
        { ...four, fromPort: 23_300 },
        { ...six, fromPort: 23_301 },
      ]) {
        network.handle.sent.length = 0;
        network.handle.arrive([packet({ from, to, fromPort, toPort: 50_001, flags: flag.syn })]);
        const [call] = await network.handle.hasSent(1);
        assert.ok(call !== undefined && isRightlySummed(call.bytes));
        assert.equal(words(call), `in ${to} 20 > ${from} 50001`);
        const answer = { from, to, fromPort: 50_001, toPort: 20, flags: flag.syn | flag.ack };
        network.handle.arrive([packet(answer)]);
        const [, back] = await network.handle.hasSent(2);
        assert.equal(back && words(back), `in ${to} 50001 > ${from} ${fromPort}`);
      }
    });

    it('takes more packets than a batch holds, and more bytes, each once and in order', async () => {
      network.handle.arrive([packet({ ...four, fromPort: 40_020 })]);
      await network.handle.hasSent(1);
      for (const { count, size } of [
        { count: 700, size: 0 },
        { count: 20, size: 60_000 },
      ]) {
        network.handle.sent.length = 0;
        const data = { ...four, fromPort: 40_020, flags: flag.ack, payload: Buffer.alloc(size, 7) };
        // Every third is none of ours, so that every batch has gaps to close.
        const of = (index: number) =>
          index % 3 === 1 ? { ...data, fromPort: 31_100 } : { ...data, sequence: index };
        network.handle.arrive(Array.from({ length: count }, (_, index) => packet(of(index))));
        const kept = Array.from({ length: count }, (_, index) => index).filter((index) => index % 3 !== 1);
        const sent = await network.handle.hasSent(kept.length);
        assert.deepEqual(
          sent.map(({ index }) => index),
          kept,
        );
        for (const { bytes, index } of sent) assert.equal(bytes.readUInt32BE(24), index);
        assert.ok(sent.every(({ bytes }) => bytes.length === 40 + size && isRightlySummed(bytes)));
      }
    });

    it('leaves sums to the driver that the network card was to compute', async () => {
      const bytes = packet({ ...four, fromPort: 40_030 });
      bytes.writeUInt16BE(0x1234, 36);
      network.handle.arrive([bytes, packet({ ...four, to: '198.51.100.2', toPort: 21_300 })], OUTBOUND);
      const sent = await network.handle.hasSent(2);
      assert.ok(sent.every((one) => isRightlySummed(one.bytes)));
      assert.ok(!network.handle.events.some((event) => event.startsWith('refused')));
    });

    it('opens another handle for other ports before it closes the first', async () => {
      const first = network.handle;
      await apply({ ports: [port(21), port(2121)] });
      await first.happened('closed');
      assert.equal(network.handles.length, 2);
      assert.match(network.handle.filter, /tcp\.DstPort == 2121/);
      assert.deepEqual(first.events.slice(-2), ['shut', 'closed']);
      network.handle.arrive([packet({ ...four, toPort: 2121 })]);
      assert.match(words((await network.handle.hasSent(1))[0] ?? assert.fail()), /^in /);
    });

    it('is told of when reading fails; its handle is closed only after another is open', async () => {
      const broken = network.handle;
      broken.breakDown();
      assert.match((await engine.ask({ kind: 'failure' })).sentence ?? '', /has stopped .*blocked/);
      assert.ok(!broken.events.includes('closed'), 'an open handle that nobody reads blocks');
      await apply();
      await broken.happened('closed');
      network.handle.arrive([packet({ ...four, fromPort: 40_040 })]);
      assert.match(words((await network.handle.hasSent(1))[0] ?? assert.fail()), /^in /);
    });

    it('passes new connections after drain, and carries out what is there before it closes', async () => {
      network.handle.arrive([packet({ ...four, fromPort: 40_050 })]);
      await network.handle.hasSent(1);
      assert.deepEqual(await engine.ask({ kind: 'drain' }), {});
      const more = { ...four, fromPort: 40_050, flags: flag.ack };
      network.handle.arrive([packet({ ...four, fromPort: 40_051 }), packet(more)]);
      const [, fresh, running] = await network.handle.hasSent(3);
      assert.equal(fresh && words(fresh), 'out 10.0.0.1 40051 > 192.0.2.9 21');
      assert.match(running === undefined ? '' : words(running), /^in 192.0.2.9 40050 /);
      assert.deepEqual(await engine.ask({ kind: 'clear' }), {});
      await network.handle.happened('closed');
      assert.deepEqual(network.handle.events.slice(-2), ['shut', 'closed']);
      assert.deepEqual(await engine.ask({ kind: 'clear' }), {}, 'again changes nothing');
    });
  });

  it('says in words why the driver can’t be opened', async () => {
    engine = await Engine.start(wine, network, dll);
    const sentences = new Map([
      [2, /^missing-tool: The driver file/],
      [5, /^not-permitted: .*administrator/],
      [87, /^redirect: .*filter/],
      [577, /^missing-tool: .*signature/],
      [1060, /^redirect: .*restart Windows/],
      [1275, /^redirect: .*blocks/],
    ]);
    for (const [error, sentence] of sentences) {
      network.openError = error;
      assert.match((await engine.ask({ kind: 'apply', plan: plan() })).error ?? '', sentence);
    }
    network.openError = 0;
    await apply();
    await engine.process.kill();
  });

  for (const way of ['exit', 'throw'] as const) {
    it(`a process that ends by ${way} releases the thread that waits for packets`, async () => {
      engine = await Engine.start(wine, network, dll);
      await apply();
      await engine.ask({ kind: way });
      const { code } = await engine.process.finish(15_000);
      assert.equal(code, way === 'exit' ? 0 : 1);
      assert.ok(network.handle.events.includes('shut'));
    });
  }
});
