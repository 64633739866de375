// Packets of connections that an engine before this one has lost: after it failed, or its process died with `closed`.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Reflection } from '../../../../daemon/divert/windows/reflection.js';
import { Rules } from '../../../../daemon/divert/windows/rules.js';
import { net, plan, server } from '../plan-fixture.js';
import { flag, packet, type PacketWords } from './packet-fixture.js';

const person = 1000;
const exempt = 1001;

for (const [family, me, host, far, stranger, block] of [
  [4, '10.0.0.1', '192.0.2.9', '198.51.100.7', '203.0.113.7', '198.51.100.0/24'],
  [6, 'fd00::1', '2001:db8::9', '2001:db8:5::7', '2001:db8:6::7', '2001:db8:5::/48'],
] as const) {
  describe(`lost connections, IPv${family}`, () => {
    let owner = person;
    const reflection = new Reflection({
      ownerOf: () => owner,
      onOpened: () => undefined,
      onClosed: () => undefined,
    });
    const changes = { servers: [server(host, 23_300)], exemptUids: [exempt], exemptNets: [net(block)] };
    reflection.setRules(new Rules(plan(changes)));
    const verdict = (toPort: number, rest: Partial<PacketWords> = {}) => {
      const bytes = packet({ from: me, fromPort: 40_000, to: host, toPort, ...rest });
      return reflection.translate(bytes, 0, bytes.length, 1_000_000, 'adjust');
    };

    test('an engine that is the first lets what is older pass', () => {
      assert.equal(verdict(21), 'pass');
    });

    test('another lets nothing pass that would be intercepted', () => {
      reflection.refuseUnknown();
      assert.equal(verdict(21), 'drop');
      assert.equal(verdict(21_300), 'drop', 'a data port of a server with a session');
      assert.equal(verdict(80), 'pass');
      assert.equal(verdict(21, { to: far }), 'pass', 'an exempt block');
      assert.equal(verdict(21, { to: stranger }), 'drop');
      assert.equal(verdict(21_300, { to: stranger }), 'pass');
    });

    test('an exempt user’s pass, and new ones are intercepted', () => {
      owner = exempt;
      assert.equal(verdict(21), 'pass');
      owner = person;
      assert.equal(verdict(21, { fromPort: 40_001, flags: flag.syn }), 'reflect');
      assert.equal(verdict(21, { fromPort: 40_001 }), 'reflect');
    });
  });
}
