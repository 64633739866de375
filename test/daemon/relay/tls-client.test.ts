import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { after, describe, test } from 'node:test';
import type tls from 'node:tls';
import { Fault } from '../../../shared/fault.js';
import { serverIdentitySchema, type ServerIdentity } from '../../../shared/trust.js';
import { openDirectControl } from '../../../daemon/relay/direct/direct-control.js';
import {
  openTls,
  provenPeer,
  type PeerProof,
  type TlsLink,
  type TlsOptions,
} from '../../../daemon/relay/tls-client.js';
import { endedByReset } from '../../../daemon/sys/socket-error.js';
import { fingerprintOfCertificate } from '../../../daemon/trust/spki.js';
import { makeCertificates, makeSelfSigned, SERVER_NAME, type KeyPair } from './certificate-fixture.js';
import { dial, listen, rawOf, serveTls } from './socket-fixture.js';

const certificates = makeCertificates();
after(certificates.remove);
const key = fingerprintOfCertificate(new X509Certificate(certificates.server.cert).raw);
const otherKey = fingerprintOfCertificate(new X509Certificate(certificates.impostor.cert).raw);

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const base: TlsOptions = { host: '192.0.2.1', minVersion: 'TLSv1.2', authorities: certificates.authority };

type Link = PeerProof & Pick<TlsLink, 'established' | 'ending' | 'reset'> & { readonly stream: Duplex };
type Open = (raw: net.Socket, options: TlsOptions) => Link;

function openDirectly(raw: net.Socket, options: TlsOptions): Link {
  const link = openDirectControl(raw, options);
  if (link !== undefined) return link;
  // Of a socket that is gone there is no descriptor to take over.
  assert.equal(raw.destroyed, true, 'OpenSSL can not be called directly here');
  return openTls(raw, options);
}

/** Node's TLS on a stream, and OpenSSL on the descriptor where that is possible. */
const WAYS: readonly (readonly [string, Open])[] = [
  ['streams', openTls],
  ...(process.platform === 'linux' ? [['direct', openDirectly] as const] : []),
];

async function fullIdentity(link: Link): Promise<ServerIdentity> {
  const established = await link.established;
  if (established.kind !== 'full') assert.fail('resumed');
  return established.identity;
}

/** Greets at once and echoes, so that tickets have something to travel with. */
function greet(socket: tls.TLSSocket): void {
  socket.write('hello');
  socket.pipe(socket);
}

async function connected<L extends Link>(
  open: (raw: net.Socket, options: TlsOptions) => L,
  pair: KeyPair,
  server: tls.TlsOptions,
  options: Partial<TlsOptions>,
  use: (link: L, port: number) => Promise<void>,
): Promise<void> {
  const listener = await serveTls(pair, server, greet);
  const link = open(await dial(listener.port), { ...base, ...options });
  try {
    await use(link, listener.port);
  } finally {
    link.stream.destroy();
    await listener.close();
  }
}

async function refusal(link: Link): Promise<Fault> {
  const fault: unknown = await link.established.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(fault instanceof Fault);
  assert.equal(fault.code, 'network');
  if (!link.stream.closed) await new Promise((resolve) => link.stream.once('close', resolve));
  return fault;
}

for (const [way, open] of WAYS) {
  describe(`${way}: who the server proved to be`, () => {
    for (const version of VERSIONS) {
      test(`${version}: key, protocol, cipher and certificate, within the shared schema`, async () => {
        await connected(open, certificates.server, { maxVersion: version }, {}, async (link) => {
          const identity = await fullIdentity(link);
          assert.deepEqual(serverIdentitySchema.parse(identity), identity);
          assert.equal(identity.mechanism, 'TLS');
          assert.equal(identity.protocol, version);
          assert.equal(identity.fingerprint, key);
          assert.equal(link.peerFingerprint(), key);
          assert.match(identity.cipher, /AES|CHACHA/);
          assert.deepEqual(identity.certificate?.names, [SERVER_NAME, '*.mirror.test', '192.0.2.7']);
          assert.equal(identity.certificate.subject, 'O=Example, CN=ftp server');
          assert.equal(identity.certificate.issuer, 'CN=Test authority');
          assert.equal(identity.certificate.keyType, 'ec prime256v1');
          assert.equal(link.ending(), 'open');
        });
      });
    }

    test('an authority vouches for the asked name only (T21)', async () => {
      const vouched = async (pair: KeyPair, servername: string | undefined): Promise<string | undefined> => {
        let name: string | undefined;
        await connected(open, pair, {}, { servername }, async (link) => {
          name = (await fullIdentity(link)).caValidFor;
        });
        return name;
      };
      assert.equal(await vouched(certificates.server, SERVER_NAME), SERVER_NAME);
      assert.equal(await vouched(certificates.server, 'a.mirror.test'), 'a.mirror.test');
      assert.equal(await vouched(certificates.server, 'other.example.test'), undefined);
      assert.equal(await vouched(certificates.server, undefined), undefined);
      assert.equal(await vouched(certificates.impostor, SERVER_NAME), undefined);
    });

    test('without given authorities the machine’s own do not know the test’s', async () => {
      await connected(
        open,
        certificates.server,
        {},
        { servername: SERVER_NAME, authorities: undefined },
        async (link) => {
          assert.equal((await fullIdentity(link)).caValidFor, undefined);
        },
      );
    });

    test('the name is sent, ALPN only when asked for (T41)', async () => {
      const listener = await serveTls(certificates.server, { ALPNProtocols: ['ftp-data'] }, (socket) => {
        socket.end(`${String(socket.servername)} ${String(socket.alpnProtocol)}`);
      });
      const answer = async (options: Partial<TlsOptions>): Promise<string> => {
        const link = open(await dial(listener.port), { ...base, ...options });
        const parts: string[] = [];
        for await (const part of link.stream) parts.push(String(part));
        return parts.join('');
      };
      assert.equal(await answer({ servername: SERVER_NAME }), `${SERVER_NAME} false`);
      assert.equal(await answer({ alpn: 'ftp-data' }), 'false ftp-data');
      await listener.close();
    });
  });
}

describe('resumption on the data connection', () => {
  const cases = [
    { name: 'TLS 1.2 by session id', server: { maxVersion: 'TLSv1.2', secureOptions: 0x4000 } },
    { name: 'TLS 1.2 by ticket', server: { maxVersion: 'TLSv1.2' } },
    { name: 'TLS 1.3 by the newest ticket', server: { minVersion: 'TLSv1.3' } },
  ] as const;
  for (const { name, server } of cases) {
    test(`${name} (T34)`, async () => {
      const store = new Map<string, Buffer>();
      const seen: boolean[] = [];
      const options = { key: certificates.server.key, cert: certificates.server.cert, ...server };
      const { createServer } = await import('node:tls');
      const listening = createServer(options, (socket) => {
        seen.push(socket.isSessionReused());
        socket.on('error', () => undefined);
        greet(socket);
      });
      listening.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
        store.set(id.toString('hex'), data);
        done();
      });
      listening.on('resumeSession', (id: Buffer, done: (error: null, data: Buffer | null) => void) => {
        done(null, store.get(id.toString('hex')) ?? null);
      });
      const listener = await listen(listening);
      const control = openTls(await dial(listener.port), { ...base, servername: SERVER_NAME });
      await control.established;
      if (control.newestSession() === undefined) {
        control.stream.resume();
        await once(control.stream, 'session');
      }
      const session = control.newestSession();
      assert.ok(session !== undefined);
      assert.ok(!session.includes(new X509Certificate(certificates.server.cert).raw));
      const data = openTls(await dial(listener.port, 'bulk'), { ...base, servername: SERVER_NAME, session });
      const established = await data.established;
      assert.equal(established.kind, 'resumed');
      assert.equal(data.reused(), true);
      assert.equal(data.stream.isSessionReused(), true);
      assert.equal(data.peerFingerprint(), undefined);
      assert.ok(provenPeer(data, key));
      await once(data.stream.resume(), 'data');
      assert.deepEqual(seen, [false, true]);
      control.stream.destroy();
      data.stream.destroy();
      await listener.close();
    });
  }

  test('a peer that does not resume is proven by the same key and by nothing else (T22)', async () => {
    await connected(openTls, certificates.server, {}, {}, async (link) => {
      assert.equal(provenPeer(link, key), false, 'not before the handshake');
      await link.established;
      assert.equal(link.reused(), false);
      assert.equal(provenPeer(link, key), true);
      assert.equal(provenPeer(link, otherKey), false);
    });
  });

  test('without authorities nobody vouches, and the key proves the peer all the same', async () => {
    const options = { servername: SERVER_NAME, authorities: undefined, vouching: 'none' } as const;
    await connected(openTls, certificates.server, {}, options, async (link) => {
      assert.equal((await fullIdentity(link)).caValidFor, undefined);
      assert.equal(provenPeer(link, key), true);
      assert.equal(provenPeer(link, otherKey), false);
    });
  });

  test('an impostor can’t resume the session of the real server (T33)', async () => {
    let session: Buffer | undefined;
    await connected(openTls, certificates.server, { maxVersion: 'TLSv1.2' }, {}, async (link) => {
      await link.established;
      session = link.newestSession();
    });
    assert.ok(session !== undefined);
    await connected(openTls, certificates.impostor, { maxVersion: 'TLSv1.2' }, { session }, async (link) => {
      await link.established;
      assert.equal(provenPeer(link, key), false);
    });
  });
});

for (const [way, open] of WAYS) {
  describe(`${way}: handshakes that fail end in one fault, and nothing is left open`, () => {
    const answering = async (serve: (socket: net.Socket) => void, options: Partial<TlsOptions> = {}) => {
      const listener = await listen(net.createServer(serve));
      const fault = await refusal(open(await dial(listener.port), { ...base, ...options }));
      await listener.close();
      return fault.userMessage;
    };

    test('no TLS at all (T07)', async () => {
      const sentence = await answering((socket) =>
        socket.write('220 Welcome to the wrong place\r\n'.repeat(4)),
      );
      assert.match(sentence, /did not speak it/);
    });

    test('a FIN, a reset and silence (T07)', async () => {
      assert.match(
        await answering((socket) => socket.once('data', () => socket.end())),
        /closed the connection/,
      );
      assert.match(
        await answering((socket) => socket.once('data', () => socket.resetAndDestroy())),
        /closed the connection/,
      );
      assert.match(await answering(() => undefined, { handshakeMs: 20 }), /in time/);
    });

    test('a socket that is gone before', async () => {
      const listener = await listen(net.createServer());
      const raw = await dial(listener.port);
      raw.destroy();
      await refusal(open(raw, base));
      await listener.close();
    });

    test('an older TLS is refused by default and works where it is allowed (T07)', async () => {
      const old: tls.TlsOptions = {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      };
      await connected(open, certificates.server, old, {}, async (link) => {
        assert.match((await refusal(link)).userMessage, /tls\.min_version/);
      });
      await connected(open, certificates.server, old, { minVersion: 'TLSv1' }, async (link) => {
        assert.equal((await fullIdentity(link)).protocol, 'TLSv1');
      });
    });

    test('a certificate or a chain of absurd size', async () => {
      const names = (count: number): string =>
        Array.from({ length: count }, (_, index) => `DNS:n${index}.a-rather-long-name.example.test`).join(
          ',',
        );
      const large = makeSelfSigned(certificates.folder, 'large', 'large', [
        '-addext',
        `subjectAltName=${names(1700)}`,
      ]);
      await connected(open, large, {}, {}, async (link) => {
        assert.match((await refusal(link)).userMessage, /too large/);
      });
      const chain = {
        ...certificates.server,
        cert: certificates.server.cert + certificates.authority.repeat(300),
      };
      await connected(open, chain, {}, {}, async (link) => {
        assert.match((await refusal(link)).userMessage, /too large/);
      });
    });
  });

  test(`${way}: a second handshake in TLS 1.2 is not carried out`, async () => {
    let renegotiated = false;
    let reason = '';
    const listener = await serveTls(certificates.server, { maxVersion: 'TLSv1.2' }, (socket) => {
      socket.on('error', (error: Error) => (reason = error.message));
      socket.write('hello');
      socket.renegotiate({}, () => {
        renegotiated = true;
        socket.destroy();
      });
    });
    const link = open(await dial(listener.port), base);
    await link.established;
    link.stream.resume();
    await new Promise((resolve) => link.stream.once('close', resolve).once('end', resolve));
    assert.equal(renegotiated, false);
    assert.equal(link.ending(), 'reset');
    assert.match(reason, /no renegotiation/);
    link.stream.destroy();
    await listener.close();
  });

  describe(`${way}: breaking off`, () => {
    for (const version of VERSIONS) {
      test(`${version}: the server sees a reset`, async () => {
        const ends: string[] = [];
        const listener = await serveTls(certificates.server, { maxVersion: version }, (socket) => {
          socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? error.message));
          socket.on('end', () => ends.push(endedByReset(rawOf(socket)) ? 'ECONNRESET' : 'end'));
          socket.write('unread by the client');
          socket.resume();
        });
        for (const queued of [0, 100_000, 5_000_000]) {
          const raw = await dial(listener.port);
          const link = open(raw, base);
          await link.established;
          await new Promise((resolve) => setTimeout(resolve, 20));
          link.stream.write(Buffer.alloc(queued));
          link.reset();
          if (!link.stream.closed) await once(link.stream, 'close');
          assert.equal(raw.destroyed, true);
        }
        while (ends.length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
        await listener.close();
        assert.deepEqual([...new Set(ends)], ['ECONNRESET']);
      });

      test(`${version}: right behind the handshake, and what comes too late harms nobody`, async () => {
        const listener = await serveTls(certificates.server, { maxVersion: version }, greet);
        for (let round = 0; round < 20; round += 1) {
          const raw = await dial(listener.port, round % 2 === 0 ? 'bulk' : 'ordinary');
          const link = open(raw, base);
          await link.established;
          link.reset();
          link.stream.write('too late', () => undefined);
          link.reset();
          link.stream.destroy();
          raw.destroy();
          if (!link.stream.closed) await once(link.stream, 'close');
        }
        await listener.close();
      });
    }
  });
}
