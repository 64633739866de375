import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { judgeTlsStart } from '../../../daemon/ftp/tls-start.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('judgeTlsStart', () => {
  const table: readonly (readonly [string, string])[] = [
    ['', 'undecided'],
    ['\x16', 'undecided'],
    ['\x16\x03\x01\x00\x05', 'undecided'],
    ['\x16\x03\x01\x00\x05\x01', 'hello'],
    ['\x16\x03\x00\x40\x00\x01rest', 'hello'],
    ['\x16\x03\x04\x00\x01\x01', 'hello'],
    ['U', 'other'],
    ['\x16USER bob\r\n', 'other'],
    ['\x16\x03\x05', 'other'],
    ['\x16\x03\x01\x00\x00', 'other'],
    ['\x16\x03\x01\x40\x01', 'other'],
    ['\x16\x03\x01\x00\x05\x02', 'other'],
    ['\x15\x03\x01\x00\x02\x01', 'other'],
    ['\x17\x03\x03\x00\x20\x01', 'other'],
    ['\x80\x2e\x01\x03\x01', 'other'],
  ];
  for (const [text, expected] of table) {
    it(`${JSON.stringify(text)} is ${expected}`, () => {
      assert.equal(judgeTlsStart(bytes(text)), expected);
    });
  }
  it('knows what Node’s own TLS says first, at every cut', async () => {
    const said = await new Promise<Buffer>((resolve) => {
      const socket = new Duplex({ read: () => undefined, write: resolve });
      connect({ socket }).on('error', () => undefined);
    });
    assert.ok(said.length > 100);
    for (let cut = 0; cut < said.length; cut += 1)
      assert.equal(judgeTlsStart(said.subarray(0, cut)), cut < 6 ? 'undecided' : 'hello');
  });
});
