// `ftpseal doctor <server>` against a server that speaks FTP as far as AUTH TLS, with a certificate of an authority of our own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import tls from 'node:tls';
import { openGround } from '../../tunnel/ground.js';
import { endRunning, main, Runner } from '../../tunnel/tunnel-process.js';

const { shop, file, read } = openGround();
let server: net.Server;
let place: string;

before(async () => {
  const secureContext = tls.createSecureContext({ key: read('named.key'), cert: read('named.crt') });
  server = net.createServer((socket) => {
    socket.on('error', () => undefined).write('220 ready\r\n');
    socket.once('data', () => {
      socket.write('234 go on\r\n');
      new tls.TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close();
  shop.remove();
});
afterEach(endRunning);

async function doctor(config: string) {
  const argv = [process.execPath, main, 'doctor', place, '--config', config];
  const { code, stdout } = await new Runner(argv).ended;
  return { code, said: stdout.toString() };
}

test('doctor believes the authorities of trust.ca_bundle, for the address that it asked', async () => {
  const with_ = await doctor(shop.write('with.toml', `[trust]\nca_bundle = "${file('root.crt')}"\n`));
  assert.equal(with_.code, 0);
  assert.match(with_.said, /^ok .*127\.0\.0\.1:[0-9]+ can be secured: TLSv1\.3/);
  assert.match(with_.said, /^ok +certificate .*; an authority vouches for it$/m);
  const without = await doctor(shop.write('without.toml', ''));
  assert.equal(without.code, 0);
  assert.match(without.said, /^warn +certificate .*; no authority vouches for it \(UNABLE_TO_/m);
});

test('doctor looks at a server also where its configuration can’t be read, and says what is left out', async () => {
  const { code, said } = await doctor(file('nothing.toml'));
  assert.equal(code, 0);
  assert.match(
    said,
    /^warn +configuration +.*nothing\.toml does not exist\n +-> authorities of trust\.ca_bundle/,
  );
  assert.match(said, /^ok .* can be secured/m);
});
