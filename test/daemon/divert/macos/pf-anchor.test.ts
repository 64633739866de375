// The pf text, rule by rule. No pf parser is to be had here: what is held is what was written from pf.conf(5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAnchor } from '../../../../daemon/divert/macos/pf-anchor.js';
import { net, plan, port, server } from '../plan-fixture.js';

const whole = `table <exempt4> persist { 127.0.0.0/8, 198.51.100.0/24 }
table <servers4> persist { 192.0.2.1, 192.0.2.2 }
table <exempt6> persist { ::1/128, 2001:db8:1::/48 }
table <servers6> persist { 2001:db8::1 }
no rdr on lo0 inet proto tcp from any to self
rdr pass on lo0 inet proto tcp from any port 1:57343 to any port { 21, 2121 } -> 127.0.0.1 port 31100
rdr pass on lo0 inet proto tcp from any port 57344:65535 to any port { 21, 2121 } -> 127.0.0.1 port 31108
rdr pass on lo0 inet proto tcp from any to <servers4> port 21210:22209 -> 127.0.0.1 port 31101
rdr pass on lo0 inet proto tcp from any to <servers4> port 22210:23209 -> 127.0.0.1 port 31109
no rdr on lo0 inet6 proto tcp from any to self
rdr pass on lo0 inet6 proto tcp from any port 1:57343 to any port { 21, 2121 } -> ::1 port 31100
rdr pass on lo0 inet6 proto tcp from any port 57344:65535 to any port { 21, 2121 } -> ::1 port 31108
rdr pass on lo0 inet6 proto tcp from any to <servers6> port 21210:22209 -> ::1 port 31101
rdr pass on lo0 inet6 proto tcp from any to <servers6> port 22210:23209 -> ::1 port 31109
pass out quick on ! lo0 proto tcp from any to any port { 21, 2121, 21210:22209, 22210:23209 } user { 21021, 501 } flags S/SA keep state
pass out quick on ! lo0 route-to (lo0 127.0.0.1) inet proto tcp from any to ! <exempt4> port { 21, 2121 } flags S/SA keep state
pass out quick on ! lo0 route-to (lo0 127.0.0.1) inet proto tcp from any to <servers4> port { 21210:22209, 22210:23209 } flags S/SA keep state
pass out quick on ! lo0 route-to (lo0 ::1) inet6 proto tcp from any to ! <exempt6> port { 21, 2121 } flags S/SA keep state
pass out quick on ! lo0 route-to (lo0 ::1) inet6 proto tcp from any to <servers6> port { 21210:22209, 22210:23209 } flags S/SA keep state
`;

test('a plan as one anchor: both families, both workers, the proxy and the exempt left alone', () => {
  const full = plan({
    ports: [port(21), port(2121)],
    exemptUids: [501],
    exemptNets: [net('198.51.100.0/24'), net('2001:db8:1::/48')],
    servers: [server('192.0.2.1', 23300), server('192.0.2.2', 23301), server('2001:db8::1', 23302)],
  });
  assert.equal(formatAnchor(full), whole);
});

test('tables are there without members too, and the order is the one that pf insists on', () => {
  const lines = formatAnchor(plan()).trimEnd().split('\n');
  assert.ok(lines.includes('table <servers4> persist'));
  const kinds = lines.map((line) =>
    ['table', 'no rdr', 'rdr', 'pass'].findIndex((kind) => line.startsWith(kind)),
  );
  const stage = kinds.map((kind) => [0, 1, 1, 2][kind] ?? -1);
  assert.deepEqual(stage, [...stage].sort());
});

test('every source port belongs to exactly one worker, however many there are', () => {
  for (const count of [1, 3, 64]) {
    const workers = Array.from({ length: count }, (_, index) => ({
      control: port(31100 + index),
      data: port(32100 + index),
      virtual: { first: port(21210 + index), last: port(21210 + index) },
    }));
    const text = formatAnchor(plan({ workers }));
    const slices = [...text.matchAll(/inet proto tcp from any port (\d+):(\d+) /g)].map((m) => [
      Number(m[1]),
      Number(m[2]),
    ]);
    assert.equal(slices.length, count);
    assert.equal(slices[0]?.[0], 1);
    assert.equal(slices.at(-1)?.[1], 65535);
    slices.slice(1).forEach(([first], index) => {
      assert.equal(first, (slices[index]?.[1] ?? 0) + 1);
    });
  }
});
