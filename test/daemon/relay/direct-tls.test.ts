import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { after, describe, test } from 'node:test';
import { createServer } from 'node:tls';
import { readdirSync } from 'node:fs';
import { Fault } from '../../../shared/fault.js';
import { openDirectControl, type DirectControl } from '../../../daemon/relay/direct/direct-control.js';
import { openDirectTls, type DirectLink, type DirectTls } from '../../../daemon/relay/direct/direct-tls.js';
import { provenPeer, type TlsOptions } from '../../../daemon/relay/tls-client.js';
import { fingerprintOfCertificate } from '../../../daemon/trust/spki.js';
import { makeCertificates, SERVER_NAME, type KeyPair } from './certificate-fixture.js';
import { dial, listen, serveTls } from './socket-fixture.js';

const certificates = makeCertificates();
after(certificates.remove);
const key = fingerprintOfCertificate(new X509Certificate(certificates.server.cert).raw);
const otherKey = fingerprintOfCertificate(new X509Certificate(certificates.impostor.cert).raw);
const base: TlsOptions = { host: '192.0.2.1', minVersion: 'TLSv1.2', servername: SERVER_NAME };
const unless = process.platform === 'linux' ? {} : { skip: 'OpenSSL is called directly on Linux alone' };

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

async function openControl(port: number): Promise<DirectControl> {
  const control = openDirectControl(await dial(port), base);
  if (control === undefined) assert.fail('OpenSSL can not be called directly here');
  await control.established;
  return control;
}

async function prepare(port: number, control: DirectControl | undefined): Promise<DirectTls> {
  const session = control?.session();
  const data = openDirectTls(await dial(port, 'bulk'), { ...base, session, handshakeMs: 5_000 });
  if (data === undefined) assert.fail('OpenSSL can not be called directly here');
  return data;
}

async function openData(port: number, control: DirectControl | undefined): Promise<DirectLink> {
  const data = await prepare(port, control);
  data.begin();
  return data.link;
}

/** Says something at once, so that tickets have something to travel with. */
async function greeter(
  pair: KeyPair,
  version: 'TLSv1.2' | 'TLSv1.3',
): Promise<{
  readonly port: number;
  readonly reused: boolean[];
  readonly close: () => Promise<void>;
}> {
  const reused: boolean[] = [];
  const server = createServer(
    { key: pair.key, cert: pair.cert, minVersion: version, maxVersion: version },
    (socket) => {
      reused.push(socket.isSessionReused());
      socket.on('error', () => undefined);
      socket.write('hello');
    },
  );
  return { ...(await listen(server)), reused };
}

describe('a data connection resumes the session of a control connection', unless, () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}, again and again, also when connections end without a word (T34)`, async () => {
      const server = await greeter(certificates.server, version);
      const control = await openControl(server.port);
      assert.equal(control.reused(), false);
      assert.equal(control.peerFingerprint(), key);
      await once(control.stream, 'data');
      for (let file = 0; file < 4; file += 1) {
        const link = await openData(server.port, control);
        assert.equal(link.reused(), true);
        assert.equal(link.peerFingerprint(), undefined);
        assert.equal(provenPeer(link, key), true);
        // The server tells a moment later than the client.
        await until(() => server.reused.length === file + 2);
        link.reset();
      }
      assert.deepEqual(server.reused, [false, true, true, true, true]);
      control.stream.destroy();
      const late = await openData(server.port, control);
      assert.equal(late.reused(), false, 'a control connection that is gone has no session');
      assert.equal(late.peerFingerprint(), key);
      late.end.close();
      await server.close();
    });
  }

  test('an impostor can’t resume it, and its key is another (T33)', async () => {
    const real = await greeter(certificates.server, 'TLSv1.2');
    const impostor = await greeter(certificates.impostor, 'TLSv1.2');
    const control = await openControl(real.port);
    await once(control.stream, 'data');
    const link = await openData(impostor.port, control);
    assert.equal(link.reused(), false);
    assert.equal(link.peerFingerprint(), otherKey);
    assert.equal(provenPeer(link, key), false);
    link.reset();
    control.stream.destroy();
    await real.close();
    await impostor.close();
  });
});

describe('what the server sees, and when', unless, () => {
  test('nothing before `begin`, then one message', async () => {
    const seen: Buffer[] = [];
    const server = await listen(
      net.createServer((socket) => socket.on('data', (bytes: Buffer) => seen.push(bytes))),
    );
    const data = await prepare(server.port, undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(seen.length, 0);
    data.begin();
    data.begin();
    await until(() => seen.length > 0);
    await server.close();
    await assert.rejects(data.link, Fault);
  });

  test('a server that closes before `begin` fails only then, with a sentence', async () => {
    const server = await listen(net.createServer((socket) => socket.end().resume()));
    const data = await prepare(server.port, undefined);
    let settled = false;
    const outcome = data.link.then(
      () => undefined,
      (error: unknown) => error,
    );
    void outcome.then(() => (settled = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(settled, false);
    data.begin();
    const fault = await outcome;
    assert.ok(fault instanceof Fault);
    assert.match(fault.userMessage, /closed the connection during the TLS handshake/);
    await server.close();
  });

  test('a socket destroyed by its owner, before and after `begin`', async () => {
    const server = await listen(net.createServer((socket) => socket.resume()));
    for (const when of ['before', 'after'] as const) {
      const raw = await dial(server.port, 'bulk');
      const data = openDirectTls(raw, base);
      assert.ok(data !== undefined);
      if (when === 'after') data.begin();
      raw.destroy();
      await once(raw, 'close');
      data.begin();
      await assert.rejects(data.link, Fault);
    }
    await server.close();
  });

  test('bytes that came before their turn are never taken for TLS', async () => {
    const server = await listen(net.createServer((socket) => socket.write('220 hello\r\n')));
    const raw = await dial(server.port);
    raw.on('data', () => undefined);
    await once(raw, 'data');
    raw.pause();
    raw.unshift(Buffer.from('injected'));
    assert.equal(openDirectControl(raw, base), undefined);
    assert.equal(raw.destroyed, false, 'it is left to who can tell what to do with it');
    raw.destroy();
    await server.close();
  });
});

test('no descriptor is left behind', unless, async () => {
  const count = (): number => readdirSync('/proc/self/fd').length;
  const before = count();
  const server = await serveTls(certificates.server, {}, (socket) => socket.end('x').resume());
  for (let turn = 0; turn < 20; turn += 1) {
    const control = openDirectControl(await dial(server.port), base);
    assert.ok(control !== undefined);
    await control.established;
    (await openData(server.port, control)).end.close();
    (await openData(server.port, undefined)).reset();
    control.stream.destroy();
    await once(control.stream, 'close');
  }
  await server.close();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(count() <= before + 2, `${count()} descriptors, ${before} before`);
});
