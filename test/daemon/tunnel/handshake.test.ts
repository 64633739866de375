// Which certificates of the other end are accepted, with real handshakes.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, afterEach, describe, it } from 'node:test';
import { openGround } from './ground.js';
import { endRunning, listeningTunnel, tunnel } from './tunnel-process.js';

const { shop, joint, file, read, keyFingerprint } = openGround();
after(shop.remove);
afterEach(endRunning);

describe('the other end’s certificate', () => {
  async function against(serverFile: string, argv: readonly string[], serverArgs: readonly string[] = []) {
    const { runner: server, port } = await listeningTunnel(['-C', file(serverFile), ...serverArgs]);
    const client = tunnel(['-p', `127.0.0.1:${port}`, ...argv]);
    client.input.end('secret');
    server.input.end();
    return { client: await client.ended, server: await server.ended };
  }
  it('unchecked, gives a warning with the key to pin', async () => {
    const { client, server } = await against('sst.pem', []);
    assert.deepEqual([client.code, server.stdout.toString()], [0, 'secret']);
    assert.ok(client.stderr.includes(`--fingerprint ${keyFingerprint('localhost')}`), client.stderr);
  });

  it('by --fingerprint: the right key, without warning; another one gets not a byte', async () => {
    const right = await against('sst.pem', ['--fingerprint', keyFingerprint('localhost')]);
    assert.deepEqual([right.client.code, right.client.stderr], [0, '']);
    const wrong = await against('sst.pem', ['--fingerprint', keyFingerprint('named')]);
    assert.deepEqual([wrong.client.code, wrong.server.stdout.length], [1, 0]);
    assert.match(wrong.client.stderr, /another key/);
    assert.equal(wrong.server.code, 1);
  });

  it('by -S: self-signed and unknown are errors, the folder of -D decides', async () => {
    const alone = await against('sst.pem', ['-S']);
    assert.match(alone.client.stderr, /signed by itself, and -S refuses that/);
    assert.deepEqual([alone.client.code, alone.server.stdout.length], [1, 0]);
    const unknown = await against('named.pem', ['-S']);
    assert.match(unknown.client.stderr, /authority that is not known/);
    const known = await against('named.pem', ['-S', '-D', file('authorities')]);
    assert.deepEqual([known.client.code, known.client.stderr], [0, '']);
  });

  it('by -S without -D: the machine’s authorities, and those of trust.ca_bundle', async () => {
    const config = shop.write('config.toml', `[trust]\nca_bundle = "${file('root.crt')}"\n`);
    const known = await against('named.pem', ['-S', '--config', config]);
    assert.deepEqual([known.client.code, known.client.stderr], [0, '']);
    const folder = ['-S', '--config', config, '-D', file('others')];
    mkdirSync(file('others'));
    shop.write('others/localhost.crt', read('localhost.crt'));
    const unknown = await against('named.pem', folder);
    assert.match(unknown.client.stderr, /authority that is not known/, '-D alone decides');
    const broken = await tunnel(['-p', '127.0.0.1:1', '-S', '--config', file('root.crt')]).ended;
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /root\.crt:1: /);
  });

  it('by -r: self-signed passes, unknown does not', async () => {
    assert.equal((await against('sst.pem', ['-r'])).client.code, 0);
    assert.equal((await against('named.pem', ['-r'])).client.code, 1);
  });

  it('has to be made out to the name of -p, or of --name', async () => {
    const authority = ['-S', '-D', file('authorities')];
    assert.equal((await against('named.pem', [...authority, '--name', 'named.test'])).client.code, 0);
    const other = await against('named.pem', [...authority, '--name', 'other.test']);
    assert.equal(other.client.code, 1);
    assert.match(other.client.stderr, /made out to another name/);
  });

  it('by -V: so many above it', async () => {
    const argv = ['-S', '-D', file('authorities'), '--name', 'ftp.test'];
    assert.equal((await against('ftp.pem', [...argv, '-V', '2'])).client.code, 0);
    const short = await against('ftp.pem', [...argv, '-V', '1']);
    assert.equal(short.client.code, 1);
    assert.match(short.client.stderr, /2 others above it, and -V allows 1/);
  });

  it('of a client: asked for by -r, checked by -S', async () => {
    const server = ['-r', '-S', '-D', file('authorities')];
    const without = await against('sst.pem', [], server);
    assert.match(without.server.stderr, /client showed no certificate/);
    assert.deepEqual([without.server.code, without.client.code], [1, 1]);
    const wrong = await against('sst.pem', ['-C', joint], server);
    assert.match(wrong.server.stderr, /signed by itself/);
    const right = await against('sst.pem', ['-C', file('named.crt'), '-K', file('named.key')], server);
    assert.deepEqual([right.server.code, right.server.stdout.toString()], [0, 'secret']);
  });
});
