// Certificates and requests of ftpseal, judged by OpenSSL.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { parseAlternativeName } from '../../../daemon/cert/alternative-name.js';
import { formatPem, makeCertificate, makeRequest } from '../../../daemon/cert/issuing.js';
import {
  formatPrivateKey,
  keyKinds,
  makePrivateKey,
  parseKeyKind,
} from '../../../daemon/cert/private-key.js';
import { readRequest } from '../../../daemon/cert/request.js';
import { openWorkshop, type Workshop } from './openssl.js';

const names = ['ftp.example.com', '*.example.com', '192.0.2.1', '2001:db8::1'].map(parseAlternativeName);
const subject = { names, organization: 'Müller & Söhne', country: 'DE' };
const now = Date.now();
const validity = { from: new Date(now - 3_600_000), to: new Date(now + 86_400_000) };

let shop: Workshop;
before(() => {
  shop = openWorkshop();
});
after(() => {
  shop.remove();
});

for (const kind of keyKinds) {
  describe(`with a key of the kind ${kind}`, () => {
    it('OpenSSL verifies the certificate for every name and address, and for no other', async () => {
      const key = await makePrivateKey(kind);
      shop.write('s.crt', formatPem('CERTIFICATE', makeCertificate(subject, key, validity)));
      shop.write('s.key', formatPrivateKey(key));
      const verify = (...args: readonly string[]) =>
        shop.accepts(['verify', '-x509_strict', '-check_ss_sig', '-CAfile', 's.crt', ...args, 's.crt']);
      assert.ok(verify('-purpose', 'sslserver', '-verify_hostname', 'ftp.example.com'));
      assert.ok(verify('-purpose', 'sslclient', '-verify_hostname', 'other.example.com'));
      assert.ok(verify('-verify_ip', '192.0.2.1'));
      assert.ok(verify('-verify_ip', '2001:db8::1'));
      assert.ok(!verify('-verify_hostname', 'ftp.example.org'));
      assert.ok(!verify('-verify_ip', '192.0.2.2'));
      const publicOf = (args: readonly string[]) => shop.openssl([...args, '-pubout']);
      assert.equal(
        publicOf(['pkey', '-in', 's.key']),
        shop.openssl(['x509', '-in', 's.crt', '-noout', '-pubkey']),
      );
    });

    it('OpenSSL verifies the request, and reads its names', async () => {
      const key = await makePrivateKey(kind);
      shop.write('s.csr', formatPem('CERTIFICATE REQUEST', makeRequest(subject, key)));
      const text = shop.openssl(['req', '-verify', '-in', 's.csr', '-noout', '-text', '-nameopt', 'utf8']);
      assert.match(text, /verify OK/);
      assert.match(
        text,
        /DNS:ftp\.example\.com, DNS:\*\.example\.com, IP Address:192\.0\.2\.1, IP Address:2001:DB8/,
      );
      assert.match(text, /C ?= ?DE, O ?= ?Müller & Söhne, CN ?= ?ftp\.example\.com/);
    });
  });
}

describe('a certificate', () => {
  it('that is valid beyond 2049 has a time that OpenSSL reads', async () => {
    const key = await makePrivateKey('p-256');
    const to = new Date('2062-03-04T05:06:07Z');
    const certificate = new X509Certificate(makeCertificate({ names }, key, { ...validity, to }));
    assert.equal(Date.parse(certificate.validTo), to.getTime());
  });

  it('for a name longer than a common name may be has it as an alternative name', async () => {
    const key = await makePrivateKey('p-256');
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`;
    const only = { names: [parseAlternativeName(long)] };
    shop.write('l.crt', formatPem('CERTIFICATE', makeCertificate(only, key, validity)));
    assert.ok(shop.accepts(['verify', '-CAfile', 'l.crt', '-verify_hostname', long, 'l.crt']));
  });

  it('never has the serial number of another, nor a negative one', async () => {
    const key = await makePrivateKey('p-256');
    const serials = Array.from({ length: 50 }, () => {
      return new X509Certificate(makeCertificate({ names }, key, validity)).serialNumber;
    });
    assert.equal(new Set(serials).size, serials.length);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  it('signs no other: OpenSSL refuses one that was issued with it', async () => {
    const key = await makePrivateKey('p-256');
    shop.write('n.crt', formatPem('CERTIFICATE', makeCertificate({ names }, key, validity)));
    shop.write('n.key', formatPrivateKey(key));
    const out = ['-nodes', '-keyout', 'x.key', '-out', 'x.csr', '-subj', '/CN=x'];
    shop.openssl(['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', ...out]);
    shop.openssl([
      'x509',
      '-req',
      '-in',
      'x.csr',
      '-CA',
      'n.crt',
      '-CAkey',
      'n.key',
      '-set_serial',
      '1',
      '-out',
      'x.crt',
    ]);
    assert.ok(!shop.accepts(['verify', '-CAfile', 'n.crt', 'x.crt']));
  });
});

describe('requests', () => {
  it('of OpenSSL are read: common name, names, key', () => {
    const names = '/CN=ftp.example.com';
    const ext = [
      '-addext',
      'subjectAltName=DNS:a.example.com,IP:192.0.2.7,IP:2001:db8::7,email:x@example.com',
    ];
    const out = ['-nodes', '-keyout', 'o.key', '-outform', 'DER', '-out', 'o.csr'];
    shop.openssl(['req', '-newkey', 'rsa:2048', ...out, '-subj', names, ...ext]);
    const der = Buffer.from(shop.openssl(['base64', '-in', 'o.csr']), 'base64');
    const request = readRequest(der);
    assert.equal(request.commonName, 'ftp.example.com');
    assert.deepEqual(request.names, ['a.example.com', '192.0.2.7', '2001:db8::7']);
    const key = request.publicKey.export({ type: 'spki', format: 'pem' });
    assert.equal(key, shop.openssl(['pkey', '-in', 'o.key', '-pubout']));
  });
});

describe('what is refused', () => {
  it('keys that can be broken, with the reason', () => {
    assert.throws(() => parseKeyKind('rsa-1024'), /1024 bits are not made: they can be broken/);
    assert.throws(() => parseKeyKind('rsa512'), /512 bits/);
    assert.throws(() => parseKeyKind('dsa'), /take one of rsa-2048/);
  });

  it('names that no client can match', () => {
    for (const text of [
      '',
      'a b',
      '*',
      '*.com',
      'a.*.com',
      '**.example.com',
      'a_b.example.com',
      'ftp://x',
      '1.2.3',
      '::g',
      'x\0y',
    ]) {
      assert.throws(() => parseAlternativeName(text), /no name of a server/, JSON.stringify(text));
    }
  });
});
