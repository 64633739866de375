// The nftables text, rule by rule.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatHold,
  formatTakeover,
  formatRemoval,
  formatRuleset,
  formatServerChange,
} from '../../../daemon/divert/linux/ruleset.js';
import { net, plan, port, server, twoWorkers } from './plan-fixture.js';

const whole = `add table inet ftpseal
delete table inet ftpseal
table inet ftpseal {
	set servers4 {
		type ipv4_addr
		elements = { 192.0.2.1, 192.0.2.2 }
	}
	map active4 {
		type inet_service : ipv4_addr . inet_service
		elements = { 23300 : 192.0.2.1 . 20, 23301 : 192.0.2.2 . 20 }
	}
	set servers6 {
		type ipv6_addr
		elements = { 2001:db8::1 }
	}
	map active6 {
		type inet_service : ipv6_addr . inet_service
		elements = { 23302 : 2001:db8::1 . 20 }
	}
	set exempt4 {
		type ipv4_addr; flags interval; auto-merge
		elements = { 198.51.100.0/24 }
	}
	set exempt6 {
		type ipv6_addr; flags interval; auto-merge
		elements = { 2001:db8:1::/48 }
	}
	chain out {
		type nat hook output priority -100; policy accept;
		tcp dport != { 21, 2121, 21210-22209, 22210-23209 } return
		tcp flags & (fin | syn | rst | ack) != syn return
		meta skuid { 21021, 1000 } return
		fib daddr type local return
		ip daddr @exempt4 return
		ip6 daddr @exempt6 return
		tcp dport { 21, 2121 } redirect to :numgen inc mod 2 map { 0 : 31100, 1 : 31108 }
		tcp dport 21210-22209 ip daddr @servers4 redirect to :31101
		tcp dport 21210-22209 ip6 daddr @servers6 redirect to :31101
		tcp dport 22210-23209 ip daddr @servers4 redirect to :31109
		tcp dport 22210-23209 ip6 daddr @servers6 redirect to :31109
	}
	chain post {
		type nat hook postrouting priority 99; policy accept;
		meta skuid 21021 oif "lo" snat ip to tcp sport map @active4
		meta skuid 21021 oif "lo" snat ip6 to tcp sport map @active6
	}
	chain guard {
		tcp dport != { 21, 2121, 21210-22209, 22210-23209 } return
		tcp flags & (fin | syn | rst | ack) != syn return
		meta skuid { 21021, 1000 } return
		fib daddr type local return
		ip daddr @exempt4 return
		ip6 daddr @exempt6 return
		tcp dport { 21, 2121 } reject with tcp reset
		tcp dport 21210-22209 ip daddr @servers4 reject with tcp reset
		tcp dport 21210-22209 ip6 daddr @servers6 reject with tcp reset
		tcp dport 22210-23209 ip daddr @servers4 reject with tcp reset
		tcp dport 22210-23209 ip6 daddr @servers6 reject with tcp reset
	}
	chain place {
		ct direction original return
		meta l4proto tcp ct original proto-dst != { 21, 2121, 21210-22209, 22210-23209 } return
		ip saddr 127.0.0.1 meta skuid != 21021 drop
		ip6 saddr ::1 meta skuid != 21021 drop
	}
	chain leaving {
		type filter hook output priority 0; policy accept;
		tcp flags & syn != syn return
		tcp flags & (syn | ack) == syn goto guard
		tcp flags & (syn | ack) == (syn | ack) goto place
	}
}
`;

const full = plan({
  ports: [port(21), port(2121)],
  exemptUids: [1000, 21021],
  exemptNets: [net('198.51.100.0/24'), net('2001:db8:1::/48')],
  servers: [server('192.0.2.1', 23300), server('192.0.2.2', 23301), server('2001:db8::1', 23302)],
});

test('a plan with everything in it', () => {
  assert.equal(formatRuleset(full, 'persistent'), whole);
});

test('rules that die with their process differ in the owner flag alone', () => {
  const owned = formatRuleset(full, 'owned');
  assert.equal(
    owned
      .replace('add table inet ftpseal { flags owner; }', 'add table inet ftpseal')
      .replace('\tflags owner;\n', ''),
    whole,
  );
  assert.match(owned, /^table inet ftpseal \{\n\tflags owner;$/m);
});

test('one worker needs no spreading', () => {
  const text = formatRuleset(plan({ workers: twoWorkers.slice(0, 1) }), 'persistent');
  assert.match(text, /tcp dport \{ 21 \} redirect to :31100$/m);
  assert.doesNotMatch(text, /numgen/);
});

test('what stays for closed refuses the intercepted ports, and leaves alone what the redirect does', () => {
  assert.equal(
    formatHold(full),
    `add table inet ftpseal_hold
delete table inet ftpseal_hold
table inet ftpseal_hold {
	chain out {
		type nat hook output priority -100; policy accept;
		ct state established return
	}
	set exempt4 {
		type ipv4_addr; flags interval; auto-merge
		elements = { 198.51.100.0/24 }
	}
	set exempt6 {
		type ipv6_addr; flags interval; auto-merge
		elements = { 2001:db8:1::/48 }
	}
	chain guard {
		tcp dport != { 21, 2121, 21210-22209, 22210-23209 } return
		tcp flags & (fin | syn | rst | ack) != syn return
		meta skuid { 21021, 1000 } return
		fib daddr type local return
		ip daddr @exempt4 return
		ip6 daddr @exempt6 return
		tcp dport { 21, 2121 } reject with tcp reset
	}
	chain place {
		ct direction original return
		meta l4proto tcp ct original proto-dst != { 21, 2121, 21210-22209, 22210-23209 } return
		ip saddr 127.0.0.1 meta skuid != 21021 drop
		ip6 saddr ::1 meta skuid != 21021 drop
	}
	chain leaving {
		type filter hook output priority 0; policy accept;
		tcp flags & syn != syn return
		tcp flags & (syn | ack) == syn goto guard
		tcp flags & (syn | ack) == (syn | ack) goto place
	}
}
`,
  );
  assert.doesNotMatch(formatHold({ ...full, onFailure: 'open' }), /guard|exempt/);
  assert.doesNotMatch(formatHold(undefined), /place|guard|exempt/);
  const refusing = (text: string) => /\tset exempt4[^]*\tchain guard \{[^}]*\{[^]*?\n\t\}\n/.exec(text)?.[0];
  assert.ok(refusing(formatTakeover(full)));
  assert.equal(refusing(formatTakeover(full)), refusing(formatHold(full)), 'the takeover refuses the same');
  assert.match(formatTakeover(full), /\(syn \| ack\) == syn goto guard\n\t\}\n\}\n$/, 'and nothing else');
});

test('removal works whether the table is there or not', () => {
  assert.equal(formatRemoval('persistent'), 'add table inet ftpseal\ndelete table inet ftpseal\n');
});

test('a change of servers names the changed ones only', () => {
  const before = [server('192.0.2.1', 23300), server('192.0.2.2', 23301), server('2001:db8::1', 23302)];
  const after = [server('192.0.2.1', 23300), server('192.0.2.2', 23303), server('192.0.2.3', 23301)];
  assert.equal(
    formatServerChange(before, after),
    [
      'delete element inet ftpseal servers4 { 192.0.2.2 }',
      'delete element inet ftpseal active4 { 23301 : 192.0.2.2 . 20 }',
      'delete element inet ftpseal servers6 { 2001:db8::1 }',
      'delete element inet ftpseal active6 { 23302 : 2001:db8::1 . 20 }',
      'add element inet ftpseal servers4 { 192.0.2.2, 192.0.2.3 }',
      'add element inet ftpseal active4 { 23303 : 192.0.2.2 . 20, 23301 : 192.0.2.3 . 20 }',
      '',
    ].join('\n'),
  );
});

test('the same servers in another order are no change', () => {
  const a = server('192.0.2.1', 23300);
  const b = server('2001:db8::1', 23301);
  assert.equal(formatServerChange([a, b], [b, a]), '');
});
