// TLS as the server against Node's client and openssl s_client: what a handshake proves, how streams end, and what is no TLS.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { Credentials, type CredentialSettings } from '../../../daemon/serve/credentials.js';
import { runTransfer } from '../../../daemon/serve/transfer.js';
import { acceptTls, type AcceptedTls, type TlsTerms } from '../../../daemon/serve/tls-server.js';
import { Fault } from '../../../shared/fault.js';
import { issued, openWorkshop, selfSigned, type Workshop } from '../cert/openssl.js';

let shop: Workshop;
const open = new Set<net.Socket | net.Server>();

before(() => {
  shop = openWorkshop();
  selfSigned(shop, 'ftp', ['-addext', 'subjectAltName=DNS:ftp.test']);
  selfSigned(shop, 'other', ['-addext', 'subjectAltName=DNS:other.test']);
  selfSigned(shop, 'ca');
  issued(shop, 'person', { by: 'ca' });
  selfSigned(shop, 'stranger');
});

after(() => {
  for (const one of open) if (one instanceof net.Socket) one.destroy();
  for (const one of open) if (one instanceof net.Server) one.close();
  shop.remove();
});

async function credentials(settings: Partial<CredentialSettings> = {}): Promise<Credentials> {
  const all: CredentialSettings = {
    certificates: [shop.path('ftp.crt'), shop.path('other.crt')],
    keys: [shop.path('ftp.key'), shop.path('other.key')],
    ciphers: undefined,
    minVersion: 'TLSv1.2',
    clientCa: undefined,
    requireClientCertificate: false,
    requireSessionReuse: true,
    ...settings,
  };
  return Credentials.open(all, { onReloaded: () => undefined, onReloadFailed: () => undefined });
}

interface Meeting {
  readonly accepted: AcceptedTls;
  readonly client: tls.TLSSocket;
  readonly raw: net.Socket;
}

/** One connection to a server with these terms. */
async function meet(terms: TlsTerms, options: tls.ConnectionOptions = {}): Promise<Meeting> {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
  open.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const raw = net.connect(address.port, '127.0.0.1');
  open.add(raw);
  raw.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  open.add(socket);
  const accepted = acceptTls(socket, terms);
  const client = tls.connect({ socket: raw, rejectUnauthorized: false, ...options });
  client.on('error', () => undefined);
  return { accepted, client, raw };
}

/** A session that the client may resume. */
async function sessionWith(terms: TlsTerms, options: tls.ConnectionOptions): Promise<Buffer> {
  const { accepted, client } = await meet(terms, options);
  const given = once(client, 'session') as Promise<[Buffer]>;
  assert.equal((await accepted.established).resumed, false);
  accepted.stream.write('hello');
  client.resume();
  const [session] = await given;
  return session;
}

describe('what a handshake proves', () => {
  const ways: readonly [string, tls.ConnectionOptions][] = [
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2 with tickets', { maxVersion: 'TLSv1.2' }],
    // SSL_OP_NO_TICKET, as libcurl sets it.
    ['TLS 1.2 by number', { maxVersion: 'TLSv1.2', secureOptions: 0x4000 }],
  ];
  for (const [name, options] of ways) {
    it(`${name}: a session is resumed on the same terms only`, async () => {
      const all = await credentials();
      const terms = all.terms();
      const session = await sessionWith(terms, options);
      const again = await meet(terms, { ...options, session });
      assert.equal((await again.accepted.established).resumed, true);
      const elsewhere = await meet(all.terms(), { ...options, session });
      assert.equal((await elsewhere.accepted.established).resumed, false);
    });
  }

  it('a client certificate of the authority, on a new and on a resumed connection', async () => {
    const all = await credentials({ clientCa: shop.path('ca.crt'), requireClientCertificate: true });
    const own = { cert: readFileSync(shop.path('person.crt')), key: readFileSync(shop.path('person.key')) };
    const terms = all.terms();
    const { accepted } = await meet(terms, own);
    assert.match((await accepted.established).certificate ?? '', /^[0-9A-F:]{95}$/);
    for (const options of [
      {},
      { cert: readFileSync(shop.path('stranger.crt')), key: readFileSync(shop.path('stranger.key')) },
    ]) {
      const refused = await meet(terms, options);
      await assert.rejects(refused.accepted.established, /no certificate|not accepted/);
    }
  });

  it('the certificate for the name that was asked for', async () => {
    const terms = (await credentials()).terms();
    for (const [servername, wanted] of [
      ['other.test', 'other'],
      ['ftp.test', 'ftp'],
      ['unknown.test', 'ftp'],
      ['', 'ftp'],
    ] as const) {
      const { accepted, client } = await meet(terms, { servername });
      await accepted.established;
      assert.equal(client.getPeerCertificate().subject.CN, wanted);
    }
  });
});

describe('what is no TLS', () => {
  it('plaintext and garbage end the connection with a reason', async () => {
    for (const bytes of ['USER bo\r\nPASS x\r\n', '\x16\x03\x01\x00\x05zzzzz', 'GET / HTTP/1.0\r\n\r\n']) {
      const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
      open.add(server);
      await once(server, 'listening');
      const address = server.address();
      assert.ok(typeof address === 'object' && address !== null);
      const raw = net.connect(address.port, '127.0.0.1');
      open.add(raw);
      const [socket] = (await once(server, 'connection')) as [net.Socket];
      const accepted = acceptTls(socket, (await credentials()).terms());
      raw.write(bytes, 'latin1');
      await assert.rejects(
        accepted.established,
        (error) => error instanceof Fault && error.code === 'network',
      );
    }
  });

  it('a client that leaves before the handshake is over is not waited for', async () => {
    const { accepted, raw } = await meet((await credentials()).terms());
    raw.end();
    await assert.rejects(accepted.established, /closed the connection during/);
  });
});

describe('a transfer', () => {
  async function backend(): Promise<{ readonly near: net.Socket; readonly heard: Promise<string> }> {
    const server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    open.add(server);
    await once(server, 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const near = net.connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
    open.add(near);
    const [far] = (await once(server, 'connection')) as [net.Socket];
    open.add(far);
    near.pause();
    const heard = new Promise<string>((resolve) => {
      let text = '';
      far.on('data', (bytes) => (text += bytes.toString()));
      far.on('end', () => {
        far.end();
        resolve(`${text.length} whole`);
      });
      far.on('error', () => {
        resolve('reset');
      });
    });
    return { near, heard };
  }

  it('an upload whose end is proven reaches the backend whole', async () => {
    const { accepted, client } = await meet((await credentials()).terms());
    await accepted.established;
    const { near, heard } = await backend();
    const outcome = runTransfer({
      client: accepted,
      backend: near,
      direction: 'upload',
      onBytes: () => undefined,
    });
    client.end(Buffer.alloc(100_000, 'x'));
    client.resume();
    assert.deepEqual(await outcome, { kind: 'complete', bytes: 100_000 });
    assert.equal(await heard, '100000 whole');
  });

  it('an upload that a bare FIN ends resets the backend', async () => {
    const { accepted, client, raw } = await meet((await credentials()).terms());
    await accepted.established;
    const { near, heard } = await backend();
    const outcome = runTransfer({
      client: accepted,
      backend: near,
      direction: 'upload',
      onBytes: () => undefined,
    });
    await new Promise((resolve) => client.write(Buffer.alloc(100_000, 'x'), resolve));
    raw.end();
    assert.equal((await outcome).kind, 'clientGone');
    assert.equal(await heard, 'reset');
  });

  it('a client that leaves in the middle of a download resets the backend', async () => {
    const { accepted, client } = await meet((await credentials()).terms());
    await accepted.established;
    const { near, heard } = await backend();
    const outcome = runTransfer({
      client: accepted,
      backend: near,
      direction: 'download',
      onBytes: () => undefined,
    });
    client.destroy();
    assert.equal((await outcome).kind, 'clientGone');
    assert.equal(await heard, 'reset');
  });
});
