// What Windows' own functions write, taken apart: bytes as winnt.h and tcpmib.h describe them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sidFromBytes, sidToBytes } from '../../../../daemon/sys/windows/sid.js';
import { findPid } from '../../../../daemon/sys/windows/tcp-rows.js';
import { parseEndpoint, type Endpoint } from '../../../../shared/endpoint.js';
import { parseSid } from '../../../../shared/user-id.js';

const at = (text: string): Endpoint => {
  const endpoint = parseEndpoint(text);
  assert.ok(endpoint !== undefined, text);
  return endpoint;
};
const hex = (text: string): Buffer => Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex');

describe('a SID in memory', () => {
  it('is read and written as Windows does', () => {
    // Published example: MS-DTYP 2.4.2 layout, the built-in administrators.
    const administrators = hex('01 02 000000000005 20000000 20020000');
    assert.equal(sidFromBytes(administrators), 'S-1-5-32-544');
    assert.equal(sidFromBytes(Buffer.concat([administrators, hex('ffff')])), 'S-1-5-32-544');
    const person = parseSid('S-1-5-21-3623811015-3361044348-30300820-1013');
    assert.ok(person !== undefined);
    assert.equal(
      sidToBytes(person).toString('hex'),
      '0105000000000005' + '15000000' + 'c7f7fed7' + '7c7755c8' + '945ace01' + 'f5030000',
    );
    assert.equal(sidFromBytes(sidToBytes(person)), person);
  });

  it('is none when it is cut, of another revision, or without parts', () => {
    for (const bad of [
      '',
      '01',
      '0102000000000005 20000000',
      '0202000000000005 20000000 20020000',
      '0100000000000005',
    ]) {
      assert.equal(sidFromBytes(hex(bad)), undefined, bad);
    }
  });
});

describe('the table of connections', () => {
  // State, local address and port, remote address and port, process; ports in network order in the first two bytes.
  const row4 = (local: string, remote: string, pid: string) => `05000000 ${local} ${remote} ${pid}`;
  const table4 = hex(
    `03000000 ${row4('c0000202 c0010000', 'c6336407 00150000', '11000000')}` +
      row4('c0000202 c0020000', 'c6336407 00150000', '00000000') +
      row4('c0000202 c0020000', 'c6336407 00150000', '22010000'),
  );

  it('tells the process by all four of addresses and ports', () => {
    const server = at('198.51.100.7:21');
    assert.equal(findPid(table4, 4, at('192.0.2.2:49153'), server), 0x11);
    assert.equal(findPid(table4, 4, at('192.0.2.2:49153'), at('198.51.100.7:22')), undefined);
    assert.equal(findPid(table4, 4, at('192.0.2.2:49155'), server), undefined);
    assert.equal(findPid(table4, 4, at('192.0.2.3:49153'), server), undefined);
    assert.equal(findPid(table4, 4, server, at('192.0.2.2:49153')), undefined);
  });

  it('takes nobody’s row for no answer, and a table that says too much about itself as far as it goes', () => {
    assert.equal(findPid(table4, 4, at('192.0.2.2:49154'), at('198.51.100.7:21')), 0x122);
    const cut = table4.subarray(0, 4 + 24);
    assert.equal(findPid(cut, 4, at('192.0.2.2:49154'), at('198.51.100.7:21')), undefined);
    assert.equal(findPid(Buffer.alloc(0), 4, at('192.0.2.2:49154'), at('198.51.100.7:21')), undefined);
  });

  it('holds IPv6 with scopes, and IPv4 in mapped addresses', () => {
    const row6 = (local: string, localPort: string, remote: string, remotePort: string, pid: string) =>
      `${local} 0b000000 ${localPort} ${remote} 00000000 ${remotePort} 05000000 ${pid}`;
    const own = '20010db8 00000000 00000000 00000002';
    const server = '20010db8 00000000 00000000 00000007';
    const mapped = (address: string) => `00000000 00000000 0000ffff ${address}`;
    const table6 = hex(
      `02000000 ${row6(own, 'c0010000', server, '00150000', '33000000')}` +
        row6(mapped('c0000202'), 'c0030000', mapped('c6336407'), '00150000', '44000000'),
    );
    assert.equal(findPid(table6, 6, at('[2001:db8::2]:49153'), at('[2001:db8::7]:21')), 0x33);
    assert.equal(findPid(table6, 6, at('192.0.2.2:49155'), at('198.51.100.7:21')), 0x44);
    assert.equal(findPid(table4, 4, at('[2001:db8::2]:49153'), at('[2001:db8::7]:21')), undefined);
  });
});
