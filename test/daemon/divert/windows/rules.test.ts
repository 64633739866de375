import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ROLE, Rules } from '../../../../daemon/divert/windows/rules.js';
import { addressFromBytes } from '../../../../daemon/sys/sockaddr.js';
import { address, net, plan, port, server } from '../plan-fixture.js';

const ftp = address('192.0.2.9');

describe('rules', () => {
  test('control connections go to the workers in turn', () => {
    const rules = new Rules(plan({ ports: [port(21), port(2121)] }));
    const targets = [21, 21, 2121].map((number) => rules.targetOf(ftp, number));
    assert.deepEqual(targets, [
      { kind: 'worker', port: 31100 },
      { kind: 'worker', port: 31108 },
      { kind: 'worker', port: 31100 },
    ]);
  });

  test('virtual ports go to their worker, of servers with a session only, up to both ends of the range', () => {
    const rules = new Rules(plan({ servers: [server(ftp, 23300)] }));
    const of = (number: number, at = ftp) => rules.targetOf(at, number);
    assert.deepEqual(of(21210), { kind: 'worker', port: 31101 });
    assert.deepEqual(of(22209), { kind: 'worker', port: 31101 });
    assert.deepEqual(of(22210), { kind: 'worker', port: 31109 });
    assert.deepEqual(of(23209), { kind: 'worker', port: 31109 });
    assert.deepEqual(of(23210), { kind: 'pass' });
    assert.deepEqual(of(21209), { kind: 'pass' });
    assert.deepEqual(of(21210, address('192.0.2.10')), { kind: 'pass' });
  });

  test('what can’t be intercepted for want of a worker is refused and not let through', () => {
    assert.deepEqual(new Rules(plan({ workers: [] })).targetOf(ftp, 21), { kind: 'refuse' });
    assert.deepEqual(new Rules(plan({ workers: [] })).targetOf(ftp, 22), { kind: 'pass' });
  });

  test('roles of source ports, and whose they are', () => {
    const rules = new Rules(plan({ servers: [server(ftp, 23300)], exemptUids: [5] }));
    assert.deepEqual(
      [31100, 31101, 31108, 23300, 23301, 21].map((number) => rules.roleOf(number)),
      [ROLE.listener, ROLE.listener, ROLE.listener, ROLE.active, ROLE.none, ROLE.none],
    );
    assert.equal(rules.isActiveOf(23300, ftp), true);
    assert.equal(rules.isActiveOf(23300, address('192.0.2.10')), false);
    assert.deepEqual(
      [21021, 5, 6, undefined].map((uid) => rules.isExemptUser(uid)),
      [true, true, false, false],
    );
    assert.deepEqual(
      [21021, 5, undefined].map((uid) => rules.maySpeak(uid)),
      [true, false, true],
    );
    const byPort = new Rules({ ...plan({ exemptUids: [5] }), ownBy: 'port' });
    assert.deepEqual(
      [21021, 5].map((uid) => byPort.isExemptUser(uid)),
      [false, true],
      'where the proxy is known by its ports, others of its account are secured',
    );
  });

  test('an exempt block holds exactly the addresses that share its first bits', () => {
    const bits = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    for (const size of [4, 16]) {
      const bytes = fc.uint8Array({ minLength: size, maxLength: size });
      fc.assert(
        fc.property(bytes, bytes, fc.integer({ min: 0, max: size * 8 }), (block, near, prefix) => {
          // Mostly the block's own bits, so that both answers come up.
          const other = block.map((byte, at) => (at < size - 1 ? byte : (near[at] ?? 0)));
          const [base, asked] = [addressFromBytes(block), addressFromBytes(other)];
          fc.pre(base !== undefined && asked?.includes(':') === base.includes(':'));
          const rules = new Rules(plan({ exemptNets: [net(`${base}/${prefix}`)] }));
          const isInside = bits(block).slice(0, prefix) === bits(other).slice(0, prefix);
          assert.equal(rules.targetOf(asked, 21).kind, isInside ? 'pass' : 'worker');
        }),
        { numRuns: 400 },
      );
    }
  });
});
