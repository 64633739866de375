// The nftables text for a gateway, rule by rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHold, formatRuleset } from '../../../daemon/divert/linux/ruleset.js';
import type { ForwardedPlan } from '../../../daemon/divert/diverter.js';
import { net, plan, range, server } from './plan-fixture.js';

const forwarded: ForwardedPlan = {
  listen: [range('31100-31115'), range('31116-31131')],
  clients: [
    { net: net('10.21.0.3/32'), mode: 'leave' },
    { net: net('10.21.0.4/32'), mode: 'refuse' },
    { net: net('10.21.0.0/24'), mode: 'secure' },
    { net: net('fd21::/64'), mode: 'secure' },
  ],
};
const gateway = plan({ servers: [server('192.0.2.1', 23300)], forwarded });

/** The chains of a table by name. */
function chainsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/^\tchain (\w+) \{\n([^}]*(?:\{[^}]*\}[^}]*)*?)^\t\}$/gm)].map((match) => [
      match[1] ?? '',
      (match[2] ?? '').replaceAll('\t', ''),
    ]),
  );
}

const redirects = `tcp dport { 21 } redirect to :numgen inc mod 2 map { 0 : 31100, 1 : 31108 }
tcp dport 21210-22209 ip daddr @servers4 redirect to :31101
tcp dport 21210-22209 ip6 daddr @servers6 redirect to :31101
tcp dport 22210-23209 ip daddr @servers4 redirect to :31109
tcp dport 22210-23209 ip6 daddr @servers6 redirect to :31109
`;
const judged = `tcp dport != { 21, 21210-22209, 22210-23209 } return
tcp flags & (fin | syn | rst | ack) != syn return
ip daddr @exempt4 return
ip6 daddr @exempt6 return
`;
const guarded = `type filter hook forward priority 0; policy accept;
${judged}ip saddr 10.21.0.3/32 return
ip saddr 10.21.0.4/32 goto refused
ip saddr 10.21.0.0/24 goto refused
ip6 saddr fd21::/64 goto refused
`;

test('the clients of the plan are redirected in its order, nobody else, and nothing to the machine itself', () => {
  const chains = chainsOf(formatRuleset(gateway, 'owned'));
  assert.equal(chains.get('to_proxy'), redirects);
  assert.equal(
    chains.get('forwarded'),
    `type nat hook prerouting priority -100; policy accept;
iif "lo" return
${judged}fib daddr type != unicast return
ip saddr 10.21.0.3/32 return
ip saddr 10.21.0.4/32 return
ip saddr 10.21.0.0/24 goto to_proxy
ip6 saddr fd21::/64 goto to_proxy
`,
  );
  assert.equal(chains.get('forward_guard'), guarded);
  assert.equal(chains.get('refused'), redirects.replaceAll(/redirect to .*/g, 'reject with tcp reset'));
});

test('the workers’ ports are open to redirected connections alone, and nobody takes the proxy’s place', () => {
  const chains = chainsOf(formatRuleset(gateway, 'owned'));
  assert.equal(
    chains.get('entrance'),
    `type filter hook input priority 0; policy accept;
tcp dport != { 31100-31115, 31116-31131 } return
iif "lo" return
ct status dnat return
meta l4proto tcp reject with tcp reset
`,
  );
  const impostors = /tcp sport \{ 31100-31115, 31116-31131 \} ct status dnat meta skuid != 21021 drop\n$/;
  assert.match(chains.get('place') ?? '', impostors);
  assert.match(chainsOf(formatHold(gateway)).get('place') ?? '', impostors);
  assert.match(
    chains.get('post') ?? '',
    /meta skuid 21021 oif != "lo" snat ip to tcp sport map @active4\nmeta skuid 21021 oif != "lo" snat ip6 to tcp sport map @active6\n$/,
  );
});

test('closed refuses devices too when the proxy is gone; open lets them go their way', () => {
  const held = chainsOf(formatHold(gateway));
  assert.match(held.get('forward_guard') ?? '', /ip saddr 10\.21\.0\.0\/24 goto refused\n/);
  assert.equal(held.get('refused'), 'tcp dport { 21 } reject with tcp reset\n');
  assert.deepEqual(
    [...chainsOf(formatHold({ ...gateway, onFailure: 'open' })).keys()],
    ['out', 'place', 'leaving'],
  );
});

test('without forwarded there is no rule about other hosts', () => {
  const text = formatRuleset({ ...gateway, forwarded: undefined }, 'owned');
  assert.doesNotMatch(text, /prerouting|hook forward|hook input|saddr 10\.|oif != /);
});
