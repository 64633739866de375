import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import { AddressBook } from '../../../daemon/names/address-book.js';
import { HostNames } from '../../../daemon/proxy/host-names.js';
import { ServerNames } from '../../../daemon/proxy/server-names.js';
import { parseIpAddress } from '../../../shared/endpoint.js';
import { at, connection } from '../trust/fixture.js';

const here = parseIpAddress('192.0.2.1')!;

function names(configured: string, heard: readonly string[]): ServerNames {
  const book = new AddressBook(() => 0);
  for (const name of heard) book.hear({ name, addresses: [here], ttlSeconds: 60 });
  const hostNames = new HostNames(parseConfig(configured, 'f'), () => Promise.resolve([here]));
  return new ServerNames(hostNames, {
    namesOf: (address) => book.namesOf(address),
    heard: () => Promise.resolve(),
  });
}

describe('the names of a server', () => {
  it('are what the client said, whatever else there is', async () => {
    const all = names('[[host]]\nmatch="c.test"', ['h.test']);
    const said = { name: 's.test', nameFrom: 'client' } as const;
    assert.deepEqual(await all.of(connection(said)), said);
    assert.deepEqual(all.refreshed({ ...said, alsoNamed: ['x.test'] }, at('192.0.2.1')), said);
  });

  it('are the configuration’s before what was looked up, which stays known', async () => {
    assert.deepEqual(await names('[[host]]\nmatch="c.test"', ['h.test']).of(connection()), {
      name: 'c.test',
      nameFrom: 'configuration',
      alsoNamed: ['h.test'],
    });
  });

  it('are those that were looked up, the latest first', async () => {
    assert.deepEqual(await names('', ['a.test', 'b.test']).of(connection()), {
      name: 'b.test',
      nameFrom: 'resolver',
      alsoNamed: ['a.test'],
    });
    assert.deepEqual(await names('', []).of(connection()), {});
  });

  it('are not the router’s own look-ups for a device behind it; those can still speak against a key', async () => {
    const naming = await names('', ['a.test']).of(connection({ forwarded: true }));
    assert.deepEqual(naming, { alsoNamed: ['a.test'] });
  });

  it('are not complete where there are more than can be told', async () => {
    const many = Array.from({ length: 12 }, (_, n) => `n${n}.test`);
    const naming = await names('', many).of(connection());
    assert.equal(naming.alsoNamed?.length, 8);
    assert.equal(naming.namesIncomplete, true);
  });

  it('that were looked up after the session began are known when its key is judged', () => {
    const refreshed = names('', ['a.test', 'b.test']).refreshed(
      { name: 'a.test', nameFrom: 'resolver' },
      at('192.0.2.1'),
    );
    assert.deepEqual(refreshed, { name: 'a.test', nameFrom: 'resolver', alsoNamed: ['b.test'] });
  });
});
