import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CertificateNames } from '../../../daemon/names/certificate-names.js';
import { parseIpAddress, type IpAddress } from '../../../shared/endpoint.js';

const here = parseIpAddress('192.0.2.1')!;
const there = parseIpAddress('192.0.2.2')!;
const table: Readonly<Record<string, readonly IpAddress[]>> = { 'a.test': [there], 'b.test': [there, here] };
const resolve = (name: string) => Promise.resolve(table[name] ?? []);

describe('names that a certificate claims', () => {
  it('count only if they lead to this very address', async () => {
    const names = new CertificateNames({ resolve });
    assert.equal(await names.leadingTo(here, ['none.test', 'a.test', 'b.test']), 'b.test');
    assert.equal(await names.leadingTo(here, ['none.test', 'a.test']), undefined);
    assert.equal(await names.leadingTo(here, []), undefined);
  });

  it('are not waited for beyond the limit, nor asked for without bound', async () => {
    let asked = 0;
    const names = new CertificateNames({
      resolve: () => {
        asked += 1;
        return new Promise(() => undefined);
      },
      patienceMs: 10,
    });
    const alive = setInterval(() => undefined, 1000);
    for (let round = 0; round < 10; round += 1)
      assert.equal(await names.leadingTo(here, ['a.test']), undefined);
    clearInterval(alive);
    assert.equal(asked, 4);
  });
});
