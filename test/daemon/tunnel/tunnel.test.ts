// The command: exit codes and their sentences, time-outs, help.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, afterEach, describe, it } from 'node:test';
import { openGround } from './ground.js';
import { endRunning, freePort, listeningTunnel, pause, tunnel } from './tunnel-process.js';

const { shop, joint, file, pair } = openGround();
after(shop.remove);
afterEach(endRunning);

describe('exit codes and sentences', () => {
  const fails = async (argv: readonly string[], code: number, reason: RegExp) => {
    const runner = tunnel(argv);
    runner.input.end();
    const ended = await runner.ended;
    assert.equal(ended.code, code, ended.stderr);
    assert.match(ended.stderr, reason);
    assert.match(ended.stderr, /^ftpseal tunnel: /);
  };

  it('2 for wrong usage', async () => {
    await fails(['-c', '-s'], 2, /either client/);
    await fails(['-M', 'ssl3', '-p', '1'], 2, /POODLE/);
    await fails(['-p', 'nowhere'], 2, /no place/);
    await fails(['-t', '0', '-p', '1'], 2, /-t must be/);
    await fails(['-V', 'x', '-p', '1'], 2, /-V must be/);
    await fails(['--fingerprint', 'abc', '-p', '1'], 2, /fingerprint/);
    await fails(['-S', '--', 'cat'], 2, /proves nothing without a name/);
    const unknown = tunnel(['--nix']);
    assert.equal((await unknown.ended).code, 2);
  });

  it('1 for what fails: nobody there, no such name, no TLS there, no certificate', async (t) => {
    await fails(['-p', '1'], 1, /nothing listens there/);
    await fails(['-p', 'no-such-host.invalid:1'], 1, /the name is unknown/);
    const talker = net.createServer((socket) => socket.end('220 hello\r\n')).listen(0, '127.0.0.1');
    await once(talker, 'listening');
    t.after(() => talker.close());
    const address = talker.address();
    assert.ok(address !== null && typeof address !== 'string');
    await fails(['-p', String(address.port)], 1, /does not speak TLS here/);
    await fails(['-s', '-p', '1', '-C', file('absent.pem')], 1, /absent\.pem can't be read/);
    await fails(
      ['-s', '-p', '1', '-D', file('authorities')],
      1,
      /sst\.pem can't be read.*ftpseal cert create/,
    );
    await fails(
      ['-s', '-p', '1', '-C', file('localhost.crt'), '-K', file('named.key')],
      1,
      /does not belong/,
    );
    await fails(['-s', '-p', String(address.port), '-C', joint], 1, /Another program listens/);
  });

  it('1 when the versions of TLS do not meet', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint, '-M', 'tls1.3']);
    await fails(['-p', port, '-M', 'tls1.2'], 1, /no version of TLS/);
    assert.equal((await server.ended).code, 1);
  });

  it('an encrypted key needs --passphrase-file', async () => {
    shop.openssl([
      'pkcs8',
      '-topk8',
      '-in',
      'localhost.key',
      '-out',
      'locked.key',
      '-passout',
      'pass:geheim',
    ]);
    shop.write('right', 'geheim\n');
    shop.write('wrong', 'falsch\n');
    const words = ['-C', file('localhost.crt'), '-K', file('locked.key')];
    await fails(['-s', '-p', '1', ...words], 2, /protected with a passphrase; give --passphrase-file/);
    await fails(
      ['-s', '-p', '1', ...words, '--passphrase-file', file('wrong')],
      1,
      /passphrase for .* is wrong/,
    );
    await listeningTunnel([...words, '--passphrase-file', file('right')]);
  });

  it('-C defaults to sst.pem in the folder of -D', async () => {
    const port = String(await freePort());
    const server = tunnel(['-s', '-v', '-p', port, '-D', shop.folder]);
    await server.says(/listens/);
    server.child.kill();
  });
});

describe('-t', () => {
  // It limits the handshake as well, and processes may be slow to start: so it is not short here.
  it('ends a tunnel in which nothing moves, on both ends, and not one in which something does', async () => {
    const still = await pair(['-t', '8'], ['-t', '60']);
    const moving = await pair(['-t', '8'], ['-t', '8']);
    for (let count = 0; count < 10; count += 1) {
      moving.client.input.write('x');
      await pause(1000);
    }
    moving.client.input.end();
    moving.server.input.end();
    assert.deepEqual(
      [(await moving.client.ended).code, (await moving.server.ended).stdout.toString()],
      [0, 'x'.repeat(10)],
    );
    const ended = await still.server.ended;
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /Nothing moved/);
    assert.equal((await still.client.ended).code, 1);
  });

  it('limits the wait for a connection and for the handshake, at both ends', async (t) => {
    const port = String(await freePort());
    const alone = await tunnel(['-s', '-p', port, '-C', joint, '-t', '0.3']).ended;
    assert.deepEqual([alone.code, alone.stderr.includes('Nobody connected')], [1, true]);

    const silent = net.createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const address = silent.address();
    assert.ok(address !== null && typeof address !== 'string');
    const client = await tunnel(['-p', String(address.port), '-t', '0.3']).ended;
    assert.deepEqual([client.code, client.stderr.includes('handshake in time')], [1, true]);

    const { runner: server, port: serverPort } = await listeningTunnel(['-C', joint, '-t', '3']);
    const caller = net.connect(Number(serverPort), '127.0.0.1').on('error', () => undefined);
    t.after(() => caller.destroy());
    assert.equal((await server.ended).code, 1);
    assert.match(server.stderr, /in time/);
  });
});

describe('help', () => {
  it('has every option of sst and examples', async () => {
    const { stdout } = await tunnel(['--help']).ended;
    for (const option of 'csiptCKDMrVSenvdl')
      assert.match(stdout.toString(), new RegExp(`^ +-${option}, `, 'm'));
    assert.match(stdout.toString(), /Examples:/);
  });
});
