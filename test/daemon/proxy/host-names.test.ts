import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConfig } from '../../../daemon/config-load.js';
import { HostNames } from '../../../daemon/proxy/host-names.js';
import { at } from '../trust/fixture.js';

const config = parseConfig(
  '[[host]]\nmatch="a.test"\n[[host]]\nmatch="b.test:2121"\n[[host]]\nmatch="192.0.2.0/24"\n',
  'f',
);

describe('names that the configuration gives', () => {
  it('are found by address and port, and asked for once in a while only', async () => {
    let asked = 0;
    let now = 0;
    const names = new HostNames(
      config,
      (name) => {
        asked++;
        return Promise.resolve(name === 'a.test' ? [at('192.0.2.1').address] : [at('192.0.2.2').address]);
      },
      () => now,
    );
    assert.equal(await names.nameOf(at('192.0.2.1')), 'a.test');
    assert.equal(await names.nameOf(at('192.0.2.2')), undefined);
    assert.equal(await names.nameOf(at('192.0.2.2', 2121)), 'b.test');
    assert.equal(asked, 2);
    now = 400_000;
    await names.nameOf(at('192.0.2.1'));
    assert.equal(asked, 4);
  });

  it('stay when the resolver is away', async () => {
    let now = 0;
    let addresses = [at('192.0.2.1').address];
    const names = new HostNames(
      config,
      () => Promise.resolve(addresses),
      () => now,
    );
    await names.nameOf(at('192.0.2.1'));
    addresses = [];
    now = 400_000;
    await names.nameOf(at('192.0.2.1'));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await names.nameOf(at('192.0.2.1')), 'a.test');
  });

  it('cost nothing where there are none', async () => {
    const names = new HostNames(parseConfig('', 'f'), () => assert.fail('asked the resolver'));
    assert.equal(await names.nameOf(at('192.0.2.1')), undefined);
  });

  it('are those of the administrator’s keys too, from the moment that they are there', async () => {
    let more: readonly { readonly name: string; readonly port: number }[] = [];
    const asked: string[] = [];
    const resolve = (name: string) => {
      asked.push(name);
      return Promise.resolve([at('192.0.2.1').address]);
    };
    const names = new HostNames(
      parseConfig('', 'f'),
      resolve,
      () => 0,
      () => more,
    );
    assert.equal(await names.nameOf(at('192.0.2.1')), undefined);
    more = [{ name: 'fleet.test', port: 21 }];
    assert.equal(await names.nameOf(at('192.0.2.1')), 'fleet.test');
    assert.equal(await names.nameOf(at('192.0.2.1', 2121)), undefined);
    assert.equal(await names.nameOf(at('192.0.2.1')), 'fleet.test');
    assert.deepEqual(asked, ['fleet.test']);
    more = [];
    assert.equal(await names.nameOf(at('192.0.2.1')), undefined);
  });
});
