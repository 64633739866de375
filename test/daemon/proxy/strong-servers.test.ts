import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StrongServers } from '../../../daemon/proxy/strong-servers.js';
import { endpoint } from '../../transcripts/notation.js';

describe('servers that agreed to TLS', () => {
  it('are known by address and port', () => {
    const servers = new StrongServers();
    servers.add(endpoint('192.0.2.1:21'));
    assert.ok(servers.has(endpoint('192.0.2.1:21')));
    assert.ok(!servers.has(endpoint('192.0.2.1:2121')));
    assert.ok(!servers.has(endpoint('192.0.2.2:21')));
  });
  it('are bounded, the oldest go first', () => {
    const servers = new StrongServers();
    for (let i = 0; i <= 20_000; i += 1)
      servers.add(endpoint(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:21`));
    assert.ok(!servers.has(endpoint('10.0.0.0:21')));
    assert.ok(servers.has(endpoint('10.0.0.1:21')));
  });
});
