// The question to pf, byte by byte, against a C compiler's layout and a figure from elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import koffi from 'koffi';
import {
  DIOCNATLOOK,
  formatNatlook,
  ioctlReadWrite,
  NATLOOK,
  readNatlook,
} from '../../../../daemon/divert/macos/natlook.js';
import { openPfDevice } from '../../../../daemon/divert/macos/pf-device.js';
import { Fault } from '../../../../shared/fault.js';
import { endpoint } from '../plan-fixture.js';

/** As XNU declares it (apple-oss-distributions/xnu, bsd/net/pfvar.h), laid out by the rules of C. */
const xport = koffi.union({ port: 'uint16_t', call_id: 'uint16_t', spi: 'uint32_t' });
const address = koffi.struct({ addr32: koffi.array('uint32_t', 4) });
const declared = koffi.struct({
  saddr: address,
  daddr: address,
  rsaddr: address,
  rdaddr: address,
  sxport: xport,
  dxport: xport,
  rsxport: xport,
  rdxport: xport,
  af: 'uint8_t',
  proto: 'uint8_t',
  proto_variant: 'uint8_t',
  direction: 'uint8_t',
});

test('the offsets are those of the C declaration', () => {
  const { size, ...offsets } = NATLOOK;
  assert.equal(size, koffi.sizeof(declared));
  for (const [member, offset] of Object.entries(offsets))
    assert.equal(offset, koffi.offsetof(declared, member), member);
});

test('the number of DIOCNATLOOK is the one that programs for macOS use', () => {
  // SagerNet/sing-box, common/redir/redir_darwin.go: DIOCNATLOOK = 0xc0544417
  assert.equal(DIOCNATLOOK, 0xc0544417);
  // The same arithmetic for OpenBSD's and FreeBSD's shorter structure (their net/pfvar.h): 76 bytes.
  assert.equal(ioctlReadWrite('D', 23, 76), 0xc04c4417);
});

test('an IPv4 connection: addresses in the first four bytes, ports in network order, looked up by the way out', () => {
  const raw = formatNatlook({ peer: endpoint('192.0.2.7', 50000), local: endpoint('127.0.0.1', 31100) });
  assert.equal(
    raw?.toString('hex'),
    ['c0000207', '7f000001', '', ''].map((hex) => hex.padEnd(32, '0')).join('') +
      ['c350', '797c', '', ''].map((hex) => hex.padEnd(8, '0')).join('') +
      '02060002',
  );
});

test('an IPv6 connection has Darwin’s family', () => {
  const raw = formatNatlook({ peer: endpoint('2001:db8::7', 1), local: endpoint('::1', 65535) });
  assert.equal(raw?.subarray(0, 32).toString('hex'), `20010db8${'0'.repeat(23)}7${'0'.repeat(31)}1`);
  assert.equal(raw.subarray(64).toString('hex'), `00010000ffff0000${'0'.repeat(16)}1e060002`);
});

test('ends of two families are no connection', () => {
  assert.equal(formatNatlook({ peer: endpoint('192.0.2.7', 1), local: endpoint('::1', 2) }), undefined);
});

for (const host of ['203.0.113.9', '2001:db8::9']) {
  test(`the answer is the destination: ${host}`, () => {
    const wanted = endpoint(host, 2121);
    const v4 = host.includes('.');
    const raw = formatNatlook({
      peer: endpoint(v4 ? '192.0.2.7' : '2001:db8::7', 5),
      local: endpoint(v4 ? '127.0.0.1' : '::1', 6),
    });
    assert.ok(raw);
    assert.equal(readNatlook(raw), undefined, 'nothing filled in');
    formatNatlook({ peer: wanted, local: wanted })?.copy(raw, NATLOOK.rdaddr, 0, 16);
    raw.writeUInt16BE(wanted.port, NATLOOK.rdxport);
    assert.deepEqual(readNatlook(raw), wanted);
  });
}

test('the call reaches the kernel: a device that knows no such request says so', () => {
  const ENOTTY = 25;
  const device = openPfDevice('/dev/null');
  assert.equal(device.ask(DIOCNATLOOK, Buffer.alloc(NATLOOK.size)), ENOTTY);
  device.close();
});

test('a system without pf is one sentence', () => {
  assert.throws(
    () => openPfDevice('/dev/no-such-pf'),
    (error) => error instanceof Fault && error.code === 'missing-tool',
  );
});
