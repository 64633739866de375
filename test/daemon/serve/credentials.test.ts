// Keys and certificates from files: what is refused with which sentence, and what happens when a file changes.
import assert from 'node:assert/strict';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Credentials, type CredentialSettings } from '../../../daemon/serve/credentials.js';
import { openWorkshop, selfSigned, type Workshop } from '../cert/openssl.js';

let shop: Workshop;

before(() => {
  shop = openWorkshop();
  selfSigned(shop, 'one');
  selfSigned(shop, 'two');
  shop.openssl(['pkcs8', '-topk8', '-in', 'one.key', '-out', 'locked.key', '-passout', 'pass:x']);
});

after(() => {
  shop.remove();
});

function settings(certificates: readonly string[], keys: readonly string[]): CredentialSettings {
  return {
    certificates: certificates.map(shop.path),
    keys: keys.map(shop.path),
    ciphers: undefined,
    minVersion: 'TLSv1.2',
    clientCa: undefined,
    requireClientCertificate: false,
    requireSessionReuse: true,
  };
}

function open(given: CredentialSettings, news: string[] = []): Promise<Credentials> {
  return Credentials.open(given, {
    onReloaded: () => news.push('reloaded'),
    onReloadFailed: (reason) => news.push(reason),
  });
}

describe('what is refused at start', () => {
  const cases: readonly [string, () => CredentialSettings, RegExp][] = [
    ['no certificate at all', () => settings([], []), /There is no certificate: set serve\.certificate/],
    ['a file that is not there', () => settings(['none.crt'], []), /none\.crt does not exist/],
    ['no key', () => settings(['one.crt'], []), /no private key/],
    ['the key of another', () => settings(['one.crt'], ['two.key']), /does not belong to the certificate/],
    ['a key with a passphrase', () => settings(['one.crt'], ['locked.key']), /protected by a passphrase/],
    [
      'authorities that are none',
      () => ({ ...settings(['one.crt'], ['one.key']), clientCa: shop.path('one.key') }),
      /holds no certificate/,
    ],
  ];
  for (const [name, given, sentence] of cases) {
    it(name, async () => {
      await assert.rejects(open(given()), sentence);
    });
  }
});

describe('a file that changes', () => {
  it('is read again; a broken one leaves everything as it is and is told once', async () => {
    const news: string[] = [];
    copyFileSync(shop.path('one.crt'), shop.path('live.crt'));
    const credentials = await open(settings(['live.crt'], ['one.key', 'two.key']), news);
    await credentials.refresh({ now: true });
    assert.deepEqual(news, []);
    copyFileSync(shop.path('two.crt'), shop.path('live.crt'));
    await credentials.refresh({ now: true });
    assert.deepEqual(news, ['reloaded']);
    writeFileSync(shop.path('live.crt'), 'nonsense');
    await credentials.refresh({ now: true });
    assert.equal(news.length, 2);
    assert.match(news.slice(1).join(), /certificate/);
    rmSync(shop.path('live.crt'));
    await credentials.refresh({ now: true });
    assert.match(news.slice(2).join(), /does not exist/);
    credentials.terms();
  });
});
