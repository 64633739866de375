// T21: an authority's word counts only while its certificate is valid; what is expired or not yet valid is a key like any other.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseAlternativeName } from '../../daemon/cert/alternative-name.js';
import { formatPem, makeCertificate } from '../../daemon/cert/issuing.js';
import { openTls } from '../../daemon/relay/tls-client.js';
import { fingerprintOfPublicKey } from '../../daemon/trust/spki.js';
import { dial, serveTls } from '../daemon/relay/socket-fixture.js';

const NAME = 'ftp.example.test';
const DAY = 86_400_000;
const now = Date.now();

const DATES = [
  { name: 'valid', from: now - DAY, to: now + DAY, vouched: NAME },
  { name: 'expired', from: now - 2 * DAY, to: now - DAY, vouched: undefined },
  { name: 'not yet valid', from: now + DAY, to: now + 2 * DAY, vouched: undefined },
] as const;

describe('the dates of a certificate', () => {
  for (const { name, from, to, vouched } of DATES) {
    it(`${name}: ${vouched === undefined ? 'nobody vouches, the key is the same' : 'vouched for'} (T21)`, async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = { names: [parseAlternativeName(NAME)] };
      const der = makeCertificate(subject, privateKey, { from: new Date(from), to: new Date(to) });
      const cert = formatPem('CERTIFICATE', der);
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      const pair = { key, cert, keyPath: '', certPath: '' };
      const listener = await serveTls(pair, {}, (socket) => socket.write('hello'));
      const options = {
        host: '192.0.2.1',
        minVersion: 'TLSv1.2',
        authorities: cert,
        servername: NAME,
      } as const;
      const link = openTls(await dial(listener.port), options);
      try {
        const established = await link.established;
        if (established.kind !== 'full') assert.fail('resumed');
        assert.equal(established.identity.caValidFor, vouched);
        assert.equal(established.identity.fingerprint, fingerprintOfPublicKey(privateKey));
      } finally {
        link.stream.destroy();
        await listener.close();
      }
    });
  }
});
