import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTunRoutes, formatTunRules } from '../../../../daemon/divert/tun/tun-rules.js';
import { plan, server } from '../plan-fixture.js';

test('what the engine has to see is marked, in this order', () => {
  const rules = formatTunRules(plan({ servers: [server('192.0.2.9', 23300), server('2001:db8::9', 23301)] }));
  assert.deepEqual(rules.trim().split('\n'), [
    'add table inet ftpseal_tun',
    'delete table inet ftpseal_tun',
    'table inet ftpseal_tun {',
    '\tchain out {',
    '\t\ttype route hook output priority -150; policy accept;',
    '\t\tmeta mark 0x46545002 return',
    '\t\tfib daddr type local return',
    '\t\tip frag-off & 0x3fff != 0 meta mark set 0x46545001 return',
    '\t\texthdr frag exists meta mark set 0x46545001 return',
    '\t\tmeta l4proto != tcp return',
    '\t\tip6 daddr fe80::/10 return',
    '\t\ttcp sport { 31100, 31101, 31108, 31109 } tcp flags & (syn | ack) == (syn | ack) meta skuid != 21021 drop',
    '\t\ttcp sport { 31100, 31101, 31108, 31109 } meta mark set 0x46545001 return',
    '\t\ttcp sport { 23300, 23301 } meta skuid != 21021 return',
    '\t\ttcp sport { 23300, 23301 } meta mark set 0x46545001 return',
    '\t\tmeta skuid 21021 return',
    '\t\ttcp dport { 21, 20, 21210-22209, 22210-23209 } meta mark set 0x46545001 return',
    '\t}',
    '}',
  ]);
});

test('without workers and servers there is no empty set', () => {
  assert.doesNotMatch(formatTunRules(plan({ workers: [] })), /\{\s*\}/);
});

test('behind the device there is a wall, for the time when the device is gone', () => {
  const [device, wall] = formatTunRoutes('ftpseal0').split('\n');
  assert.match(device ?? '', /dev ftpseal0 table 21021 metric 1$/);
  assert.match(wall ?? '', /^route replace unreachable default table 21021 metric 1000$/);
});
