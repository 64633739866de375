import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanText } from '../../../tray/model/outside-text.js';
import { serverText } from '../../../tray/model/server-text.js';
import { endpoint } from './fixture.js';

describe('text from outside', () => {
  it('keeps words of any language and loses what is no text', () => {
    assert.equal(cleanText('Grüße 服务器 خادم', 40), 'Grüße 服务器 خادم');
    assert.equal(cleanText('a\u0000b\u202ec\u2028d\ue000e\u200bf', 40), 'a?b?c?d?e?f');
    assert.equal(cleanText('a\n\t b', 40), 'a?? b');
    assert.equal(cleanText(`a${'\u0301'.repeat(50)}b`, 40), 'a\u0301\u0301b');
  });

  it('is cut at whole characters, with bounded work', () => {
    assert.equal(cleanText('😀'.repeat(10), 4), '😀😀😀…');
    assert.equal(cleanText('x'.repeat(10_000_000), 10), 'xxxxxxxxx…');
  });

  it('as a server’s name keeps the end, where the domain is', () => {
    const server = endpoint('192.0.2.1');
    assert.equal(serverText({ server }), '192.0.2.1');
    assert.equal(serverText({ server: endpoint('2001:db8::1', 2121) }), '[2001:db8::1]:2121');
    assert.equal(serverText({ server: endpoint('192.0.2.1', 2121), name: 'a.example' }), 'a.example:2121');
    const long = serverText({ server, name: `www.bank.com.${'x'.repeat(60)}.evil.example` });
    assert.equal(long.length, 40);
    assert.match(long, /^….*\.evil\.example$/);
  });
});
