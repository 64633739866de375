import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isHostMatch, parseHostMatch, parseHostname, splitHostPort } from '../../daemon/host-match.js';
import { at } from './trust/fixture.js';

const matches = (text: string, address: string, port = 21, name?: string) => {
  const match = parseHostMatch(text);
  assert.ok(match, `${text} is no match`);
  return isHostMatch(match, at(address, port), name);
};

describe('what may stand for a server', () => {
  it('an address matches itself in any spelling', () => {
    assert.ok(matches('192.0.2.1', '192.0.2.1'));
    assert.ok(matches('2001:DB8:0::1', '2001:db8::1'));
    assert.ok(matches('[2001:db8::1]:21', '2001:db8::1'));
    assert.ok(matches('::ffff:192.0.2.1', '192.0.2.1'));
    assert.ok(!matches('192.0.2.1', '192.0.2.2'));
    assert.ok(!matches('192.0.2.1:2121', '192.0.2.1'));
  });

  it('a block matches what lies in it and never the other family', () => {
    assert.ok(matches('192.0.2.77/24', '192.0.2.1'));
    assert.ok(!matches('192.0.2.0/25', '192.0.2.128'));
    assert.ok(matches('0.0.0.0/0', '203.0.113.9'));
    assert.ok(!matches('0.0.0.0/0', '2001:db8::1'));
    assert.ok(matches('2001:db8::/32', '2001:db8:ffff::9'));
    assert.ok(!matches('2001:db8::/33', '2001:db8:8000::'));
    assert.ok(matches('[2001:db8::/32]:990', '2001:db8::7', 990));
  });

  it('a name matches a name alone', () => {
    assert.ok(matches('Ftp.Example.com', '192.0.2.1', 21, 'ftp.example.com.'));
    assert.ok(!matches('ftp.example.com', '192.0.2.1'));
    assert.ok(!matches('ftp.example.com:990', '192.0.2.1', 21, 'ftp.example.com'));
    assert.ok(matches('*.example.com', '192.0.2.1', 21, 'a.b.example.com'));
    assert.ok(!matches('*.example.com', '192.0.2.1', 21, 'badexample.com'));
  });

  it('refuses what is neither', () => {
    for (const text of [
      '',
      'a b',
      'a:0',
      'a:70000',
      '192.0.2.1/33',
      '1.2.3',
      '*',
      '*.*.com',
      '-a',
      'a..b',
      '2001:db8::1:21x',
    ]) {
      assert.equal(parseHostMatch(text), undefined, text);
    }
    assert.equal(parseHostname('192.0.2.1'), undefined);
    assert.equal(parseHostname('a'.repeat(64)), undefined);
  });

  it('splits host and port', () => {
    assert.deepEqual(splitHostPort('a:21'), { host: 'a', port: 21 });
    assert.deepEqual(splitHostPort('::1'), { host: '::1', port: undefined });
    assert.deepEqual(splitHostPort('[::1]:21'), { host: '::1', port: 21 });
    assert.equal(splitHostPort('a:0'), undefined);
  });
});
