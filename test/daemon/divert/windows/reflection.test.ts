import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { Reflection } from '../../../../daemon/divert/windows/reflection.js';
import { Rules } from '../../../../daemon/divert/windows/rules.js';
import { addressFromBytes, addressToBytes } from '../../../../daemon/sys/sockaddr.js';
import { address, endpoint, net, plan, server, twoWorkers } from '../plan-fixture.js';
import {
  endsOf,
  flag,
  independentChecksum,
  independentHeaderChecksum,
  packet,
  tcpAt,
  type PacketWords,
} from './packet-fixture.js';
import type { Opened, Verdict } from '../../../../daemon/divert/windows/reflection.js';

const pc = { 4: '10.0.0.1', 6: 'fd00::1' } as const;
const ftp = { 4: '192.0.2.9', 6: '2001:db8::9' } as const;
const oneWorker = twoWorkers.slice(0, 1);
const servers = [server(ftp[4], 23300), server(ftp[6], 23301)];
const person = 1000;
const exempt = 1001;

/** The address with one bit the other way round. */
function flip(text: string, bit: number): string {
  const bytes = addressToBytes(address(text));
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
  return addressFromBytes(bytes) ?? '';
}

let owner: number | undefined;
let speaker: number;
let opened: Opened[];
let closed: number[];
let now: number;

function engine(changes: Parameters<typeof plan>[0] = {}, capacity?: number): Reflection {
  const made = new Reflection({
    ...(capacity === undefined ? {} : { capacity }),
    ownerOf: (local) => (local.port >= 23_300 && local.port < 24_300 ? speaker : owner),
    onOpened: (connection) => opened.push(connection),
    onClosed: (id) => closed.push(id),
  });
  made.setRules(new Rules(plan({ workers: oneWorker, servers, exemptUids: [exempt], ...changes })));
  return made;
}

interface Sent {
  readonly verdict: Verdict;
  readonly from: string;
  readonly to: string;
}

/** Gives the engine one packet and checks what every reflected packet has to fulfil. */
function send(reflection: Reflection, words: PacketWords): Sent {
  const whole = packet(words);
  const before = Buffer.from(whole);
  const verdict = reflection.translate(whole, 0, whole.length, now, 'adjust');
  if (verdict === 'reflect') {
    assert.equal(whole.readUInt16BE(tcpAt(whole) + 16), independentChecksum(whole, tcpAt(whole)));
    if ((whole[0] ?? 0) >> 4 === 4) assert.equal(whole.readUInt16BE(10), independentHeaderChecksum(whole));
  } else {
    assert.deepEqual(whole, before, 'what is not reflected is not touched');
  }
  return { verdict, ...endsOf(whole) };
}

beforeEach(() => {
  owner = person;
  speaker = 21021;
  opened = [];
  closed = [];
  now = 1_000_000;
});

for (const family of [4, 6] as const) {
  const [me, host] = [pc[family], ftp[family]];
  const active = family === 4 ? 23300 : 23301;
  const out = (fromPort: number, toPort: number, rest: Partial<PacketWords> = {}): PacketWords => ({
    from: me,
    fromPort,
    to: host,
    toPort,
    ...rest,
  });
  const syn = (fromPort: number, toPort: number, sequence = 7): PacketWords =>
    out(fromPort, toPort, { flags: flag.syn, sequence });

  describe(`reflection, IPv${family}`, () => {
    test('a connection and its way back', () => {
      const reflection = engine();
      const there = { verdict: 'reflect', from: `${host} 40000`, to: `${me} 31100` };
      const back = { verdict: 'reflect', from: `${host} 21`, to: `${me} 40000` };
      assert.deepEqual(send(reflection, syn(40000, 21)), there);
      assert.deepEqual(send(reflection, out(31100, 40000, { flags: flag.syn | flag.ack })), back);
      assert.deepEqual(send(reflection, out(40000, 21)), there);
      assert.deepEqual(send(reflection, out(31100, 40000, { payload: Buffer.from('220 hi\r\n') })), back);
      assert.deepEqual(send(reflection, out(40000, 21, { flags: flag.fin | flag.ack })), there);
      assert.deepEqual(send(reflection, out(31100, 40000, { flags: flag.fin | flag.ack })), back);
    });

    test('what the proxy asks: where it was going and whose it is', () => {
      const reflection = engine();
      send(reflection, syn(40000, 21));
      const origin = { client: endpoint(me, 40000), server: endpoint(host, 21) };
      const [first] = opened;
      assert.deepEqual(first, { id: first?.id, ...origin, uid: person, aliasPort: 40000, proxyPort: 31100 });
      assert.deepEqual(reflection.lookup(endpoint(host, 40000), endpoint(me, 31100)), origin);
      assert.equal(reflection.lookup(endpoint(host, 40001), endpoint(me, 31100)), undefined);
      assert.equal(reflection.lookup(endpoint(host, 40000), endpoint(me, 31101)), undefined);
    });

    test('one client port to two data ports of one server: an alias tells them apart', () => {
      const reflection = engine();
      assert.equal(send(reflection, syn(40000, 21300)).from, `${host} 40000`);
      const second = send(reflection, syn(40000, 21301));
      assert.notEqual(second.from, `${host} 40000`);
      assert.equal(second.to, `${me} 31101`);
      const alias = Number(second.from.split(' ')[1]);
      assert.equal(opened[1]?.aliasPort, alias);
      const answer = flag.syn | flag.ack;
      assert.equal(send(reflection, out(31101, 40000, { flags: answer })).from, `${host} 21300`);
      const back = send(reflection, out(31101, alias, { flags: answer }));
      assert.deepEqual([back.from, back.to], [`${host} 21301`, `${me} 40000`]);
    });

    test('the proxy’s port is looked at before the destination: an ephemeral port among the virtual ones', () => {
      const reflection = engine();
      send(reflection, syn(21500, 21));
      const back = send(reflection, out(31100, 21500, { flags: flag.syn | flag.ack }));
      assert.deepEqual(back, { verdict: 'reflect', from: `${host} 21`, to: `${me} 21500` });
    });

    test('servers and own addresses that differ in one bit only are not taken for each other', () => {
      const reflection = engine();
      const bits = family === 4 ? 32 : 128;
      for (let bit = 0; bit < bits; bit += 1) {
        for (const words of [{ to: flip(host, bit) }, { from: flip(me, bit) }]) {
          send(reflection, { ...syn(40000, 21), ...words });
          assert.equal(send(reflection, { ...out(31100, 40000), ...words }).verdict, 'reflect');
        }
      }
      assert.equal(reflection.connections, 2 * bits);
      assert.equal(send(reflection, out(31100, 40000)).verdict, 'drop');
      assert.equal(send(reflection, out(40000, 21)).verdict, 'pass');
    });

    test('an active data connection comes from the server, port 20', () => {
      const reflection = engine();
      assert.deepEqual(send(reflection, syn(active, 40100)), {
        verdict: 'reflect',
        from: `${host} 20`,
        to: `${me} 40100`,
      });
      const answer = send(reflection, out(40100, 20, { flags: flag.syn | flag.ack }));
      assert.deepEqual([answer.from, answer.to], [`${host} 40100`, `${me} ${active}`]);
      assert.equal(send(reflection, out(active, 40100)).from, `${host} 20`);
      assert.equal(send(reflection, syn(active, 40101)).from, `${host} 20`, 'a second one at the same time');
      assert.deepEqual(opened, [], 'nobody has to ask for it');
    });

    test('an active port speaks for its own server only, and for the proxy alone', () => {
      const reflection = engine();
      const other = family === 4 ? '192.0.2.77' : '2001:db8::77';
      assert.equal(send(reflection, { ...syn(active, 40100), to: other }).verdict, 'drop');
      assert.equal(send(reflection, out(active, 40100)).verdict, 'drop', 'no SYN, no connection');
      speaker = person;
      assert.equal(send(engine(), syn(active, 40100)).verdict, 'drop');
    });

    test('an active port moves to another connection of the same client port when the old one is over', () => {
      const reflection = engine({
        servers: [server(host, active), server(family === 4 ? '192.0.2.10' : '2001:db8::10', 23400)],
      });
      send(reflection, syn(active, 40100));
      send(reflection, out(40100, 20, { flags: flag.rst }));
      reflection.setRules(new Rules(plan({ workers: oneWorker, servers: [server(host, 23555)] })));
      assert.equal(send(reflection, syn(23555, 40100)).from, `${host} 20`);
      const answer = send(reflection, out(40100, 20, { flags: flag.syn | flag.ack }));
      assert.equal(answer.to, `${me} 23555`);
    });

    test('a connection older than the daemon, other ports and other servers pass', () => {
      const reflection = engine();
      assert.equal(send(reflection, out(40000, 21)).verdict, 'pass');
      assert.equal(send(reflection, out(40000, 21, { flags: flag.rst })).verdict, 'pass');
      assert.equal(send(reflection, syn(40000, 22)).verdict, 'pass');
      assert.equal(send(reflection, out(40000, 20)).verdict, 'pass', 'a real active connection');
      const stranger = family === 4 ? '198.51.100.1' : '2001:db8:1::1';
      assert.equal(send(reflection, { ...syn(40000, 21300), to: stranger }).verdict, 'pass');
      assert.equal(reflection.connections, 0);
    });

    test('exempt users, exempt blocks and the proxy itself pass', () => {
      const reflection = engine({ exemptNets: [net(family === 4 ? '198.51.100.0/24' : '2001:db8:1::/48')] });
      owner = exempt;
      assert.equal(send(reflection, syn(40000, 21)).verdict, 'pass');
      owner = 21021;
      assert.equal(send(reflection, syn(40001, 21)).verdict, 'pass');
      owner = undefined;
      assert.equal(send(reflection, syn(40002, 21)).verdict, 'reflect', 'an unknown owner is not exempt');
      const host2 = family === 4 ? '198.51.100.7' : '2001:db8:1::7';
      assert.equal(send(reflection, { ...syn(40003, 21), to: host2 }).verdict, 'pass');
    });

    test('a scanner’s SYN to a worker gets no answer', () => {
      const reflection = engine();
      assert.equal(send(reflection, out(31100, 50000, { flags: flag.syn | flag.ack })).verdict, 'drop');
      assert.equal(send(reflection, out(31100, 50000, { flags: flag.rst })).verdict, 'drop');
    });

    test('a SYN that comes again is no new connection; one with another number is', () => {
      const reflection = engine();
      const first = send(reflection, syn(40000, 21, 7));
      assert.deepEqual(send(reflection, syn(40000, 21, 7)), first);
      assert.equal(opened.length, 1);
      owner = 2000;
      assert.deepEqual(send(reflection, syn(40000, 21, 8)), first, 'the same way');
      assert.deepEqual(
        opened.map((connection) => connection.uid),
        [person, 2000],
      );
      assert.deepEqual(closed, [opened[0]?.id]);
      owner = exempt;
      assert.equal(send(reflection, syn(40000, 21, 9)).verdict, 'pass', 'the port went to an exempt user');
      assert.equal(send(reflection, out(40000, 21)).verdict, 'pass');
      assert.equal(reflection.connections, 0);
    });

    test('after drain new connections pass and old ones go on', () => {
      const reflection = engine();
      send(reflection, syn(40000, 21));
      reflection.drain();
      assert.equal(send(reflection, syn(40001, 21)).verdict, 'pass');
      assert.equal(send(reflection, out(40000, 21)).verdict, 'reflect');
      assert.equal(send(reflection, out(31100, 40000)).verdict, 'reflect');
    });

    test('a worker on other ports gets the new connections; the old one’s resets still arrive', () => {
      const reflection = engine();
      send(reflection, syn(40000, 21));
      reflection.setRules(new Rules(plan({ workers: twoWorkers.slice(1), servers })));
      assert.equal(send(reflection, out(31100, 40000, { flags: flag.rst })).from, `${host} 21`);
      assert.equal(send(reflection, syn(40000, 21, 9)).to, `${me} 31108`);
    });

    test('without a worker nothing leaves', () => {
      assert.equal(send(engine({ workers: [] }), syn(40000, 21)).verdict, 'drop');
    });

    test('without checksums to keep, the field stays', () => {
      const reflection = engine();
      const whole = packet(syn(40000, 21));
      const before = whole.readUInt16BE(tcpAt(whole) + 16);
      assert.equal(reflection.translate(whole, 0, whole.length, now, 'leave'), 'reflect');
      assert.equal(whole.readUInt16BE(tcpAt(whole) + 16), before);
    });
  });

  describe(`time-outs, IPv${family}`, () => {
    const opens = (reflection: Reflection) => {
      send(reflection, syn(40000, 21));
      send(reflection, out(31100, 40000, { flags: flag.syn | flag.ack }));
      send(reflection, out(40000, 21));
    };
    /** How long the connection stays when nothing more comes, in seconds. */
    const life = (reflection: Reflection) => {
      const start = now;
      for (const seconds of [9, 10, 74, 75, 129, 130, 599, 600, 7199, 7200, 1e6]) {
        reflection.sweep(start + seconds * 1000);
        if (reflection.connections === 0) return seconds;
      }
      return Infinity;
    };

    test('a SYN without an answer', () => {
      const reflection = engine();
      send(reflection, syn(40000, 21));
      assert.equal(life(reflection), 75);
      assert.deepEqual(closed, [opened[0]?.id]);
    });

    test('established, and pinned', () => {
      const reflection = engine();
      opens(reflection);
      assert.equal(life(reflection), 7200);
      const pinned = engine();
      opens(pinned);
      pinned.pin(opened.at(-1)?.id ?? 0);
      assert.equal(life(pinned), Infinity);
      pinned.pin(4711);
    });

    test('half closed by the client', () => {
      const reflection = engine();
      opens(reflection);
      reflection.pin(opened[0]?.id ?? 0);
      send(reflection, out(40000, 21, { flags: flag.fin | flag.ack }));
      assert.equal(life(reflection), 600);
    });

    test('half closed by the proxy: what the client may still say must not leave in clear', () => {
      const reflection = engine();
      opens(reflection);
      reflection.pin(opened[0]?.id ?? 0);
      send(reflection, out(31100, 40000, { flags: flag.fin | flag.ack }));
      assert.equal(life(reflection), Infinity);
      assert.equal(send(reflection, out(40000, 21, { payload: Buffer.from('PASS x') })).verdict, 'reflect');
    });

    test('closed, and opened again', () => {
      const reflection = engine();
      opens(reflection);
      send(reflection, out(40000, 21, { flags: flag.fin | flag.ack }));
      send(reflection, out(31100, 40000, { flags: flag.fin | flag.ack }));
      send(reflection, out(40000, 21));
      send(reflection, syn(40000, 21, 99));
      opens(reflection);
      send(reflection, out(40000, 21, { flags: flag.fin | flag.ack }));
      send(reflection, out(31100, 40000, { flags: flag.fin | flag.ack }));
      send(reflection, out(40000, 21));
      assert.equal(reflection.connections, 1);
      assert.equal(life(reflection), 130);
    });

    test('reset, and a reset that nobody believed', () => {
      const reflection = engine();
      opens(reflection);
      send(reflection, out(40000, 21, { flags: flag.rst }));
      assert.equal(life(reflection), 10);
      const alive = engine();
      opens(alive);
      send(alive, out(31100, 40000, { flags: flag.rst }));
      send(alive, out(40000, 21));
      assert.equal(life(alive), 7200);
    });
  });
}

describe('bounds', () => {
  const syn = (fromPort: number): PacketWords => ({
    from: pc[4],
    fromPort,
    to: ftp[4],
    toPort: 21,
    flags: flag.syn,
  });

  test('a full table refuses new connections and keeps the old', () => {
    const reflection = engine({}, 8);
    for (let client = 1; client <= 8; client += 1) send(reflection, syn(client));
    assert.equal(send(reflection, syn(9)).verdict, 'drop');
    assert.equal(reflection.connections, 8);
    for (let client = 1; client <= 8; client += 1) {
      assert.equal(send(reflection, { ...syn(client), flags: flag.ack }).verdict, 'reflect');
    }
  });

  test('what is over makes room, the oldest first', () => {
    const reflection = engine({}, 8);
    for (let client = 1; client <= 8; client += 1) {
      now += 10;
      send(reflection, syn(client));
      if (client <= 4) send(reflection, { ...syn(client), flags: flag.rst });
    }
    assert.equal(send(reflection, syn(9)).verdict, 'reflect');
    assert.equal(reflection.connections, 7);
    assert.equal(closed.length, 2);
    const [first, second] = opened;
    assert.deepEqual(closed, [first?.id, second?.id]);
  });

  test('parts of packets that could be ours do not leave', () => {
    const reflection = engine();
    const part = (words: PacketWords, word: number) => {
      const whole = packet(words);
      whole.writeUInt16BE(word, 6);
      return reflection.translate(whole, 0, whole.length, now, 'adjust');
    };
    const elsewhere = { ...syn(40000), toPort: 80 };
    assert.equal(part(syn(40000), 0x2000), 'drop', 'the first part, with the port');
    assert.equal(part(syn(40000), 3), 'pass', 'a later one, to an address without a connection');
    assert.equal(part(elsewhere, 0x2000), 'pass');
    send(reflection, syn(40001));
    assert.equal(part(elsewhere, 3), 'drop', 'a later one, to an address with a connection');
  });

  test('port 0 is no connection', () => {
    const reflection = engine();
    assert.equal(send(reflection, syn(0)).verdict, 'drop');
    assert.equal(send(reflection, { ...syn(40000), toPort: 0 }).verdict, 'pass');
  });

  test('before the first rules everything passes', () => {
    const reflection = new Reflection({ ownerOf: () => 1, onOpened: () => 1, onClosed: () => 1 });
    assert.equal(send(reflection, syn(40000)).verdict, 'pass');
  });
});

test('any packets in any order: no throw, sums right, ends never mixed up, table bounded', () => {
  const event = fc.record({
    side: fc.constantFrom('client', 'proxy', 'active'),
    family: fc.constantFrom(4 as const, 6 as const),
    client: fc.integer({ min: 40000, max: 40003 }),
    server: fc.constantFrom(21, 21300, 21301, 20, 80),
    flags: fc.constantFrom(flag.syn, flag.ack, flag.syn | flag.ack, flag.fin | flag.ack, flag.rst),
    sequence: fc.integer({ min: 1, max: 3 }),
    pause: fc.constantFrom(0, 1000, 11_000, 140_000),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 120 }), (events) => {
      const reflection = engine({}, 16);
      const byProxy = new Map<string, Opened>();
      for (const { side, family, client, server: to, flags, sequence, pause } of events) {
        now += pause;
        reflection.sweep(now);
        opened = [];
        const [me, host] = [pc[family], ftp[family]];
        const source = side === 'client' ? client : side === 'proxy' ? 31101 : family === 4 ? 23300 : 23301;
        const target = side === 'client' ? to : client;
        const sent = send(reflection, {
          from: me,
          fromPort: source,
          to: host,
          toPort: target,
          flags,
          sequence,
        });
        for (const one of opened) byProxy.set(`${one.server.address} ${one.aliasPort} ${one.proxyPort}`, one);
        assert.ok(reflection.connections <= 16);
        if (sent.verdict !== 'reflect' || side !== 'proxy') continue;
        const origin = byProxy.get(`${host} ${client} 31101`);
        assert.equal(sent.from, `${host} ${origin?.server.port ?? 'unknown'}`);
        assert.equal(sent.to, `${me} ${origin?.client.port ?? 'unknown'}`);
      }
    }),
    { numRuns: 500 },
  );
});
