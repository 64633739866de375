// The PROXY protocol's header, byte for byte.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatProxyHeader } from '../../../daemon/serve/proxy-header.js';
import { endpoint } from '../../transcripts/notation.js';

const four = { client: endpoint('192.0.2.7:40000'), server: endpoint('198.51.100.1:21') };
const six = { client: endpoint('[2001:db8::7]:40000'), server: endpoint('[2001:db8::]:990') };

it('none is nothing', () => {
  assert.equal(formatProxyHeader('none', four).length, 0);
});

it('version 1', () => {
  assert.equal(String(formatProxyHeader('v1', four)), 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 21\r\n');
  assert.equal(String(formatProxyHeader('v1', six)), 'PROXY TCP6 2001:db8::7 2001:db8:: 40000 990\r\n');
});

it('version 2', () => {
  const signature = '0d0a0d0a000d0a515549540a';
  assert.equal(formatProxyHeader('v2', four).toString('hex'), `${signature}2111000cc0000207c63364019c400015`);
  assert.equal(
    formatProxyHeader('v2', six).toString('hex'),
    `${signature}2121002420010db800000000000000000000000720010db80000000000000000000000009c4003de`,
  );
});
