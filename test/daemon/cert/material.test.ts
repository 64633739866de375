// Every form in which keys and certificates come, made by OpenSSL.
import assert from 'node:assert/strict';
import { createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { pairUp } from '../../../daemon/cert/chain.js';
import { readMaterial, type AskPassphrase } from '../../../daemon/cert/material.js';
import { openWorkshop, selfSigned, type Workshop } from './openssl.js';

let shop: Workshop;
before(() => {
  shop = openWorkshop();
  selfSigned(shop, 'ec');
  selfSigned(shop, 'rsa', [], ['-newkey', 'rsa:2048']);
});
after(() => {
  shop.remove();
});

const nobody: AskPassphrase = () => Promise.reject(new Error('asked for a passphrase'));
/** Says a wrong one first, as a person might. */
const secondTry =
  (passphrase: string): AskPassphrase =>
  (_file, isRetry) =>
    Promise.resolve(isRetry ? passphrase : 'wrong');

const read = (files: readonly string[], ask: AskPassphrase = nobody) =>
  readMaterial(
    files.map((name) => ({ name, bytes: readFileSync(shop.path(name)) })),
    ask,
  );

const publicPem = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'pem' });

for (const kind of ['ec', 'rsa'] as const) {
  const expected = () => shop.openssl(['pkey', '-in', `${kind}.key`, '-pubout']);
  const traditional = kind === 'rsa' ? ['rsa', '-traditional'] : ['ec'];

  describe(`an ${kind} key`, () => {
    const isRead = async (file: string, ask?: AskPassphrase) => {
      const { keys } = await read([file], ask);
      assert.deepEqual(
        keys.map(({ key }) => publicPem(key)),
        [expected()],
      );
    };

    it('as PKCS#8 and in its older form, PEM and DER', async () => {
      await isRead(`${kind}.key`);
      shop.openssl([...traditional, '-in', `${kind}.key`, '-out', `${kind}.old`]);
      await isRead(`${kind}.old`);
      shop.openssl([...traditional, '-in', `${kind}.key`, '-outform', 'DER', '-out', `${kind}.old.der`]);
      await isRead(`${kind}.old.der`);
      shop.openssl([
        'pkcs8',
        '-topk8',
        '-nocrypt',
        '-in',
        `${kind}.key`,
        '-outform',
        'DER',
        '-out',
        `${kind}.der`,
      ]);
      await isRead(`${kind}.der`);
    });

    it('encrypted: PKCS#8 new and old, the older form, and PKCS#8 in DER', async () => {
      const pass = ['-passout', 'pass:geheim'];
      shop.openssl(['pkcs8', '-topk8', '-in', `${kind}.key`, '-out', 'a.key', ...pass]);
      await isRead('a.key', secondTry('geheim'));
      shop.openssl([
        'pkcs8',
        '-topk8',
        '-v1',
        'PBE-SHA1-3DES',
        '-in',
        `${kind}.key`,
        '-out',
        'b.key',
        ...pass,
      ]);
      await isRead('b.key', secondTry('geheim'));
      shop.openssl([...traditional, '-aes256', '-in', `${kind}.key`, '-out', 'c.key', ...pass]);
      await isRead('c.key', secondTry('geheim'));
      shop.openssl(['pkcs8', '-topk8', '-in', `${kind}.key`, '-outform', 'DER', '-out', 'd.key', ...pass]);
      await isRead('d.key', secondTry('geheim'));
    });
  });

  describe(`PKCS#12 with an ${kind} key`, () => {
    const exported = (file: string, ...more: readonly string[]) => {
      const input = ['-inkey', `${kind}.key`, '-in', `${kind}.crt`];
      shop.openssl(['pkcs12', '-export', ...input, '-out', file, ...more]);
    };
    const isWhole = async (file: string, ask?: AskPassphrase) => {
      const identity = pairUp(await read([file], ask), []);
      assert.equal(publicPem(identity.key), expected());
    };

    it('of OpenSSL 3 and of old (RC2, 3DES)', async () => {
      exported('n.p12', '-passout', 'pass:geheim');
      await isWhole('n.p12', secondTry('geheim'));
      exported('o.p12', '-legacy', '-passout', 'pass:geheim');
      await isWhole('o.p12', secondTry('geheim'));
    });

    it('with a passphrase beyond ASCII, both ways to write it', async () => {
      exported('n.p12', '-passout', 'pass:größer als ключ');
      await isWhole('n.p12', secondTry('größer als ключ'));
      exported('o.p12', '-legacy', '-passout', 'pass:größer als ключ');
      await isWhole('o.p12', secondTry('größer als ключ'));
    });

    it('without passphrase asks for none', async () => {
      exported('e.p12', '-passout', 'pass:');
      await isWhole('e.p12');
    });
  });
}

describe('files', () => {
  it('of several blocks with text around them, and the same certificate twice', async () => {
    const text = ['Bag Attributes\n', 'ec.key', 'ec.crt', '\nsubject=x\r\n', 'ec.crt', 'rsa.crt'];
    const parts = text.map((one) => (one.includes('.') ? readFileSync(shop.path(one), 'utf8') : one));
    shop.write('joint.pem', parts.join('').replace(/\n/g, '\r\n'));
    const { keys, certificates } = await read(['joint.pem', 'ec.crt']);
    assert.equal(keys.length, 1);
    assert.deepEqual(
      certificates.map(({ certificate }) => certificate.subject),
      ['CN=ec', 'CN=rsa'],
    );
  });

  it('with a certificate in DER', async () => {
    shop.openssl(['x509', '-in', 'ec.crt', '-outform', 'DER', '-out', 'ec.der']);
    assert.equal((await read(['ec.der'])).certificates.length, 1);
  });

  const refused = async (file: string, reason: RegExp, ask?: AskPassphrase) => {
    await assert.rejects(read([file], ask), (error: Error) => {
      assert.match(error.message, reason);
      assert.ok(error.message.includes(file), error.message);
      return true;
    });
  };

  it('that are something else are named, with what they are', async () => {
    shop.write('noise', randomBytes(500));
    await refused('noise', /neither a key nor a certificate/);
    shop.write('empty', '');
    await refused('empty', /neither a key nor a certificate/);
    shop.write('huge', Buffer.alloc(1024 * 1024 + 1));
    await refused('huge', /larger than a mebibyte/);
    shop.write('ssh', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
    await refused('ssh', /key for SSH/);
    shop.openssl(['crl2pkcs7', '-nocrl', '-certfile', 'ec.crt', '-out', 'p7.pem']);
    await refused('p7.pem', /PKCS#7/);
    shop.openssl(['crl2pkcs7', '-nocrl', '-certfile', 'ec.crt', '-outform', 'DER', '-out', 'p7.der']);
    await refused('p7.der', /PKCS#7/);
  });

  it('that are damaged are named', async () => {
    const half = (file: string) =>
      readFileSync(shop.path(file), 'utf8').replace(/\n[A-Za-z0-9+/]{64}\n/, '\n');
    shop.write('half.crt', half('rsa.crt'));
    await refused('half.crt', /certificate in .* can't be read/);
    shop.write('half.key', half('rsa.key'));
    await refused('half.key', /private key in .* can't be read/);
  });

  it('whose passphrase nobody knows', async () => {
    const gaveUp: AskPassphrase = (_file, isRetry) => Promise.resolve(isRetry ? undefined : 'wrong');
    shop.openssl(['pkcs8', '-topk8', '-in', 'rsa.key', '-out', 'locked.key', '-passout', 'pass:x']);
    await refused('locked.key', /passphrase for .* is wrong/, gaveUp);
    shop.openssl([
      'pkcs12',
      '-export',
      '-inkey',
      'ec.key',
      '-in',
      'ec.crt',
      '-out',
      'l.p12',
      '-passout',
      'pass:x',
    ]);
    await refused('l.p12', /passphrase for .* is wrong/, gaveUp);
  });
});
