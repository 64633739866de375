// The kernel's address structures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromBytes, addressToBytes, parseSockaddr } from '../../../daemon/sys/sockaddr.js';
import { address, endpoint } from '../divert/plan-fixture.js';

test('addresses survive the way to bytes and back', () => {
  const texts = [
    '0.0.0.0',
    '192.0.2.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::',
    '1:2:3:4:5:6:7:8',
  ];
  for (const text of [...texts, '2001:db8:0:1::5', '1::8', '::ffff:0:1']) {
    assert.equal(addressFromBytes(addressToBytes(address(text))), address(text), text);
  }
});

test('an IPv4-mapped address is IPv4 (T50)', () => {
  assert.equal(addressFromBytes(Buffer.from('00000000000000000000ffffc0000201', 'hex')), '192.0.2.1');
});

test('sockaddr_in and sockaddr_in6', () => {
  assert.deepEqual(
    parseSockaddr(Buffer.from('02000015c00002010000000000000000', 'hex')),
    endpoint('192.0.2.1', 21),
  );
  assert.deepEqual(
    parseSockaddr(Buffer.from('0a00001500000000' + '20010db8000000000000000000000001' + '00000000', 'hex')),
    endpoint('2001:db8::1', 21),
  );
});

test('anything else is nothing', () => {
  for (const hex of ['', '0200', '0100001500000000', '02000000c0000201', '0a00001500000000']) {
    assert.equal(parseSockaddr(Buffer.from(hex, 'hex')), undefined, hex);
  }
});
