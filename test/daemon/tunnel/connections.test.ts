// Where the sides of a tunnel are: programs, sockets of a parent, inetd and systemd.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, afterEach, describe, it } from 'node:test';
import { MEBIBYTE, openGround } from './ground.js';
import { withoutPython } from '../cert/openssl.js';
import { endRunning, listeningTunnel, main, Runner, sendBytes, sources, tunnel } from './tunnel-process.js';

const { shop, joint, pair } = openGround();
after(shop.remove);
afterEach(endRunning);

describe('a program', () => {
  it('is the clear side of a server, with a socket as its standard input and output; its exit code counts', async () => {
    const { server, client } = await pair([
      '--',
      'sh',
      '-c',
      'test -S /dev/stdin && test -S /dev/stdout && tr a-z A-Z; exit 7',
    ]);
    client.input.end('abc');
    const { code, stdout } = await client.ended;
    assert.deepEqual([code, stdout.toString()], [0, 'ABC']);
    assert.equal((await server.ended).code, 7);
  });

  it('that reads only a part of its input ends regularly', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint, '--', 'head', '-c', '3']);
    const client = tunnel(['-p', port]);
    client.input.write('abcdef');
    const { stdout } = await once(client.output, 'end').then(() => ({ stdout: client.stdout }));
    assert.equal(stdout, 'abc');
    client.input.end();
    assert.equal((await server.ended).code, 0);
  });

  it('that ends while it is still written to loses nothing of its output', async () => {
    const script = 'head -c 3 > /dev/null; head -c 3000000 /dev/zero';
    const { runner: server, port } = await listeningTunnel(['-C', joint, '--', 'sh', '-c', script]);
    const client = tunnel(['-p', port]);
    void sendBytes(client.input, 3_000_000, 1).catch(() => undefined);
    await once(client.output, 'end');
    assert.equal(client.stdout.length, 3_000_000);
    client.input.end();
    assert.equal((await server.ended).code, 0);
  });

  it('that is not there is reported with the shell’s code', async () => {
    const { server, client } = await pair(['--', '/nowhere/program']);
    assert.equal((await server.ended).code, 127);
    client.input.end();
    await client.ended;
    assert.match(server.stderr, /not found/);
  });

  it('killed by a signal gives 128 and its number', async () => {
    const { server, client } = await pair(['--', 'sh', '-c', 'kill -TERM $$']);
    client.input.end();
    await client.ended;
    assert.equal((await server.ended).code, 143);
  });

  it('is the clear side of a client', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint]);
    const client = tunnel(['-p', port, '--', 'sh', '-c', 'echo from the program; cat > /dev/null; exit 3']);
    await server.prints('from the program');
    server.input.end();
    assert.equal((await client.ended).code, 3);
  });
});

describe('embedded in a parent with socket pairs', { skip: withoutPython }, () => {
  it('client and server carry both ways, half-close, and show nothing in clear', async () => {
    const parent = new Runner([
      'python3',
      `${sources}embedding_parent.py`,
      String(5 * MEBIBYTE),
      joint,
      process.execPath,
      main,
      'tunnel',
    ]);
    const { stdout, stderr } = await parent.ended;
    assert.equal(stderr, '');
    const result = JSON.parse(stdout.toString()) as Record<string, unknown>;
    assert.deepEqual(result['codes'], [0, 0], String(result['said']));
    assert.equal(result['server received'], result['client sent']);
    assert.equal(result['client received'], result['server sent']);
    // A TLS handshake record at the head of each way.
    assert.deepEqual([result['up'], result['down']], Array(2).fill({ first: '16', seen: false }));
  });

  it('without sockets is wrong usage', async () => {
    for (const argv of [[], ['-s', '-C', joint]]) {
      const runner = new Runner([
        'sh',
        '-c',
        '"$0" "$@" < /dev/null > /dev/null',
        process.execPath,
        main,
        'tunnel',
        ...argv,
      ]);
      const { code, stderr } = await runner.ended;
      assert.equal(code, 2);
      assert.match(stderr, /is no socket\. Without -p and without a program/);
    }
  });
});

describe('behind inetd and systemd', { skip: withoutPython }, () => {
  const ways = ['inetd', 'nowait-systemd', 'listening-systemd', 'wait-inetd'];

  async function handedOver(way: string, argv: readonly string[]) {
    const command = [
      'python3',
      `${sources}inetd_parent.py`,
      way,
      process.execPath,
      main,
      'tunnel',
      '-i',
      ...argv,
    ];
    const parent = new Runner(command);
    await parent.says(/^[0-9]+\n/);
    return { parent, port: parent.stderr.split('\n')[0]! };
  }

  for (const way of ways) {
    it(`${way}: forwards to a port`, async (t) => {
      const backend = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
      await once(backend, 'listening');
      t.after(() => backend.close());
      const address = backend.address();
      assert.ok(address !== null && typeof address !== 'string');
      const { parent, port } = await handedOver(way, ['-C', joint, '-p', String(address.port)]);
      const client = tunnel(['-p', port]);
      client.input.end('there and back');
      const { code, stdout } = await client.ended;
      assert.deepEqual([code, stdout.toString()], [0, 'there and back']);
      assert.equal((await parent.ended).code, 0);
    });

    it(`${way}: wraps a program, which knows nothing of systemd's socket`, async () => {
      const script = 'cat; echo "<$LISTEN_FDS$LISTEN_PID>"; echo to standard error >&2';
      const { parent, port } = await handedOver(way, ['-C', joint, '--', 'sh', '-c', script]);
      const client = tunnel(['-p', port]);
      client.input.end('x');
      const { stdout } = await client.ended;
      // Where standard error is the connection, it is so for the program as well, but encrypted.
      assert.equal(stdout.toString(), `x<>\n${way.endsWith('inetd') ? 'to standard error\n' : ''}`);
      assert.equal((await parent.ended).code, 0);
    });
  }

  it('never writes a message into the connection, which is standard error as well', async () => {
    const { parent, port } = await handedOver('inetd', ['-d', '-C', joint, '-p', '1']);
    const socket = net.connect(Number(port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.0\r\n\r\n');
    assert.equal((await parent.ended).code, 1);
    socket.destroy();
    const said = Buffer.concat(chunks);
    // At most a TLS alert.
    assert.ok(said.length === 0 || (said[0] === 21 && said.length < 10), said.toString());
  });
});
