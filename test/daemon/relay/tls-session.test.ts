// Sessions as they are kept: without the certificate, in every form that Node and OpenSSL give them, and untouched in any other.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import { withoutCertificate } from '../../../daemon/relay/tls-session.js';
import { makeCertificates } from './certificate-fixture.js';
import { serveTls } from './socket-fixture.js';

const certificates = makeCertificates();
after(certificates.remove);
const certificate = new X509Certificate(certificates.server.cert).raw;

/** The first session that a server gives; with `session`, whether that one is resumed. */
async function visit(port: number, session?: Buffer): Promise<{ given: Buffer; reused: boolean }> {
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
  const socket = tls.connect({ ...options, ...(session === undefined ? {} : { session }) });
  const came = once(socket, 'session');
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  // A connection that resumed a session of TLS 1.2 brings no other.
  const given = reused ? Buffer.alloc(0) : ((await came)[0] as Buffer);
  socket.destroy();
  return { given, reused };
}

describe('a session without the certificate', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: is smaller by it and resumes all the same`, async () => {
      const listener = await serveTls(certificates.server, { maxVersion: version }, (socket) => {
        socket.on('error', () => undefined).write('hello');
      });
      const { given } = await visit(listener.port);
      assert.ok(given.includes(certificate));
      const lean = withoutCertificate(given);
      assert.ok(!lean.includes(certificate));
      assert.ok(lean.length <= given.length - certificate.length);
      assert.equal((await visit(listener.port, lean)).reused, true);
      assert.deepEqual(withoutCertificate(lean), lean);
      await listener.close();
    });
  }

  test('with what newer versions of Node put before it', () => {
    const host = Buffer.from('192.0.2.1');
    const head = Buffer.concat([
      Buffer.from('\0nodejs:tls:session:1\0\0', 'latin1'),
      Buffer.of(host.length),
      host,
    ]);
    // SEQUENCE { INTEGER 1, [3] { OCTET STRING }, [4] { INTEGER 2 } }
    const session = Buffer.from('300e020101a304040211 22a403020102'.replaceAll(' ', ''), 'hex');
    const lean = Buffer.from('30820008020101a403020102', 'hex');
    assert.deepEqual(withoutCertificate(session), lean);
    assert.deepEqual(withoutCertificate(Buffer.concat([head, session])), Buffer.concat([head, lean]));
  });

  test('any other form stays as it is', () => {
    for (const hex of [
      '',
      '30',
      '0401aa',
      '3003020101ff',
      '3004020101a3',
      '3080020101',
      '3085010000000002',
      '3082ffff02',
      '00',
    ]) {
      const bytes = Buffer.from(hex, 'hex');
      assert.equal(withoutCertificate(bytes), bytes, hex);
    }
    const cut = Buffer.from('\0nodejs:tls:session:1\0\0', 'latin1');
    assert.equal(withoutCertificate(cut), cut);
  });
});
