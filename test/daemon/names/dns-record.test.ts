import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readDnsRecord } from '../../../daemon/names/dns-record.js';

const base64 = (text: string) => Buffer.from(text, 'base64');
/** As systemd-resolved 252 gave them. */
const alias = base64('A3d3dwNsYWIEdGVzdAAABQABAAAAHgAOA2Z0cANsYWIEdGVzdAA=');
const v4 = base64('A2Z0cANsYWIEdGVzdAAAAQABAAAAeAAECgECAw==');
const v6 = base64('A2Z0cANsYWIEdGVzdAAAHAABAAAAeAAQ/QAAAAAAAAAAAAAAAAAAAw==');

describe('a record of the DNS', () => {
  it('tells an address or an alias, and for how long', () => {
    assert.deepEqual(readDnsRecord(v4), {
      kind: 'address',
      owner: 'ftp.lab.test',
      ttl: 120,
      address: '10.1.2.3',
    });
    assert.deepEqual(readDnsRecord(v6), {
      kind: 'address',
      owner: 'ftp.lab.test',
      ttl: 120,
      address: 'fd00::3',
    });
    assert.deepEqual(readDnsRecord(alias), {
      kind: 'alias',
      owner: 'www.lab.test',
      ttl: 30,
      target: 'ftp.lab.test',
    });
  });

  it('that is cut off, too long or of another kind is none', () => {
    for (const whole of [v4, v6, alias]) {
      for (let length = 0; length < whole.length; length += 1)
        assert.equal(readDnsRecord(whole.subarray(0, length)), undefined);
      assert.equal(readDnsRecord(Buffer.concat([whole, Buffer.from([0])])), undefined);
    }
    const text = Buffer.from(v4);
    text[15] = 16;
    assert.equal(readDnsRecord(text), undefined);
  });

  it('with a name that no host has is none', () => {
    const dotted = Buffer.from(v4);
    dotted[2] = 0x2e;
    assert.equal(readDnsRecord(dotted), undefined);
    const pointing = Buffer.from(v4);
    pointing[0] = 0xc0;
    assert.equal(readDnsRecord(pointing), undefined);
  });

  it('never throws, whatever the bytes are', () => {
    let state = 7;
    const next = () => (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16;
    for (let round = 0; round < 5000; round += 1) {
      const bytes = Buffer.from(v6);
      for (let change = next() % 4; change >= 0; change -= 1) bytes[next() % bytes.length] = next() & 255;
      readDnsRecord(bytes.subarray(0, next() % (bytes.length + 1)));
    }
  });
});
