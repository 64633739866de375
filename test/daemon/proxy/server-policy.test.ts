import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import { HostNames } from '../../../daemon/proxy/host-names.js';
import { ServerNames } from '../../../daemon/proxy/server-names.js';
import { ServerPolicy } from '../../../daemon/proxy/server-policy.js';
import { connection } from '../trust/fixture.js';

const config = parseConfig(
  [
    '[[host]]\nmatch="lax.test"\ntrust={ unknown = "accept-new" }\nfallback={ cleartext = "allow" }',
    '[[host]]\nmatch="strict.test"\ntrust={ unknown = "refuse" }',
    '[[host]]\nmatch="plain.test"\nmode="plain"',
  ].join('\n'),
  'f',
);

function policy(mode: 'redirect' | 'explicit' = 'redirect', warnings: string[] = []): ServerPolicy {
  const names = new ServerNames(new HostNames(config, () => Promise.resolve([])), undefined);
  return new ServerPolicy({ config, names, mode, warn: (message) => warnings.push(message) });
}

const said = (name: string) => connection({ name, nameFrom: 'client' });

describe('the policy of a server', () => {
  it('gets stricter by what a program says, and no laxer', async () => {
    assert.equal((await policy().of(said('strict.test'))).trust.unknown, 'refuse');
    const lax = await policy().of(said('lax.test'));
    assert.deepEqual([lax.trust.unknown, lax.fallback.cleartext], ['ask', 'warn']);
  });

  it('is that of the name where the explicit proxy looked the name up itself, or the configuration did', async () => {
    assert.equal((await policy('explicit').of(said('lax.test'))).trust.unknown, 'accept-new');
    const configured = connection({ name: 'lax.test', nameFrom: 'configuration' });
    assert.equal((await policy().of(configured)).trust.unknown, 'accept-new');
  });

  it('is not without encryption by a name of the DNS, where the address was encrypted before', () => {
    const warnings: string[] = [];
    const naming = { name: 'plain.test', nameFrom: 'configuration' } as const;
    const one = policy('redirect', warnings);
    assert.deepEqual(one.begunWith(naming, connection(), true), {});
    assert.equal(warnings.length, 1);
    assert.equal(one.begunWith(naming, connection(), false), naming);
    const lax = { name: 'lax.test', nameFrom: 'resolver' } as const;
    assert.equal(one.begunWith(lax, connection(), true), lax);
    assert.equal(warnings.length, 1);
  });
});
