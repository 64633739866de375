// Bytes through a tunnel of ftpseal at both ends: both ways, half-close, ends that are none, memory.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { after, afterEach, describe, it, type TestContext } from 'node:test';
import { MEBIBYTE, openGround } from './ground.js';
import {
  endRunning,
  freePort,
  listeningTunnel,
  main,
  pause,
  Runner,
  sendBytes,
  takeBytes,
  tunnel,
} from './tunnel-process.js';

const { shop, joint, file, read, pair } = openGround();
after(shop.remove);
afterEach(endRunning);

describe('client and server', () => {
  for (const method of ['tls1.2', 'tls1.3']) {
    it(`carry binary data both ways at once, with ${method}`, async (t: TestContext) => {
      const { runner: server, port } = await listeningTunnel(['-C', joint, '-M', method], {
        collects: false,
      });
      const client = tunnel(['-v', '-p', port], { collects: false });
      const size = 24 * MEBIBYTE + 4711;
      const started = performance.now();
      const taken = [takeBytes(server.output, size), takeBytes(client.output, size)];
      const sent = [sendBytes(client.input, size, 1), sendBytes(server.input, size, 2)];
      assert.deepEqual(await Promise.all(taken), await Promise.all(sent));
      const seconds = (performance.now() - started) / 1000;
      t.diagnostic(`${Math.round((2 * size) / MEBIBYTE / seconds)} MiB/s, both ways together`);
      client.input.end();
      server.input.end();
      assert.deepEqual([(await client.ended).code, (await server.ended).code], [0, 0]);
      assert.match(client.stderr, method === 'tls1.3' ? /secured with TLSv1\.3/ : /secured with TLSv1\.2/);
    });
  }

  it('half-close: the server answers after the client’s end, and the other way round', async () => {
    const first = await pair();
    first.client.input.end('question');
    await first.server.prints('question');
    await pause(100);
    first.server.input.end('answer');
    assert.equal((await first.client.ended).stdout.toString(), 'answer');
    assert.equal((await first.client.ended).code, 0);
    assert.equal((await first.server.ended).code, 0);

    const second = await pair();
    second.server.input.end('greeting');
    await second.client.prints('greeting');
    await pause(100);
    second.client.input.end('late answer');
    const ended = await second.server.ended;
    assert.deepEqual([ended.code, ended.stdout.toString()], [0, 'late answer']);
  });

  it('half-close with a slow reader loses nothing', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint], { collects: false });
    const client = tunnel(['-p', port]);
    server.input.end();
    const size = 6 * MEBIBYTE;
    const sent = sendBytes(client.input, size, 5);
    server.output.pause();
    await pause(700);
    const taken = takeBytes(server.output, size);
    void sent.then(() => client.input.end());
    assert.equal(await taken, await sent);
    assert.deepEqual([(await client.ended).code, (await server.ended).code], [0, 0]);
  });

  it('nothing at all is carried as nothing', async () => {
    const { server, client } = await pair();
    client.input.end();
    server.input.end();
    for (const one of [client, server]) {
      const { code, stdout } = await one.ended;
      assert.deepEqual([code, stdout.length], [0, 0]);
    }
  });

  it('with standard input and output as files', async () => {
    const port = String(await freePort());
    shop.write('in.bin', Buffer.alloc(3 * MEBIBYTE, 'x'));
    const shell = (argv: readonly string[], out: string) =>
      new Runner(
        ['sh', '-c', `exec "$@" < in.bin > ${out}`, 'sh', process.execPath, main, 'tunnel', ...argv],
        {
          cwd: shop.folder,
        },
      );
    const server = shell(['-s', '-v', '-p', port, '-C', joint], 'server.out');
    await server.says(/listens/);
    const client = shell(['-p', port], 'client.out');
    const ends = [await client.ended, await server.ended];
    assert.deepEqual(
      ends.map(({ code }) => code),
      [0, 0],
    );
    for (const end of ends) assert.doesNotMatch(end.stderr, /Error/);
    assert.ok(readFileSync(file('server.out')).equals(readFileSync(file('in.bin'))));
    assert.ok(readFileSync(file('client.out')).equals(readFileSync(file('in.bin'))));
  });

  it('the reader of a pipe sees the end when the server has ended, not only when the tunnel has', async () => {
    const { server, client } = await pair();
    server.input.end('all');
    await once(client.output, 'end');
    assert.equal(client.child.exitCode, null);
    client.input.end('more');
    assert.equal((await server.ended).stdout.toString(), 'more');
    assert.equal((await client.ended).code, 0);
  });

  it('at a terminal the server’s end is the end', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint]);
    const command = `${process.execPath} ${main} tunnel -p ${port}`;
    const terminal = new Runner(['script', '-qec', command, '/dev/null']);
    terminal.input.write('typed\n');
    await server.prints('typed');
    server.input.end('bye');
    const { code, stdout } = await terminal.ended;
    assert.equal(code, 0);
    assert.match(stdout.toString(), /bye/);
    assert.equal((await server.ended).code, 0);
  });

  it('-n carries in clear, and says so', async () => {
    const port = await freePort();
    const server = net.createServer((socket) => socket.end('plain')).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const client = tunnel(['-n', '-p', String(port)]);
    client.input.end();
    const { code, stdout, stderr } = await client.ended;
    assert.deepEqual([code, stdout.toString()], [0, 'plain']);
    assert.match(stderr, /nothing is encrypted/);
    server.close();
  });
});

describe('-e', () => {
  it('ends the client at its end of file, though the server goes on', async () => {
    const { server, client } = await pair([], ['-e']);
    client.input.end('last words');
    assert.equal((await client.ended).code, 0);
    await server.prints('last words');
  });

  it('ends the server at the client’s end of file, though its program goes on', async () => {
    const { server, client } = await pair(['-e', '--', 'sh', '-c', 'cat; exec sleep 100']);
    client.input.end('x');
    const { code, stdout } = await client.ended;
    assert.deepEqual([code, stdout.toString()], [0, 'x']);
    assert.notEqual((await server.ended).code, 0);
  });

  it('is needed: without it the client waits for the server', async () => {
    const { server, client } = await pair();
    client.input.end('x');
    await server.prints('x');
    await pause(1500);
    assert.equal(client.child.exitCode, null);
    server.input.end();
    assert.equal((await client.ended).code, 0);
  });
});

describe('--hold-eof', () => {
  it('keeps the client’s end back until the server has ended', async () => {
    const { server, client } = await pair([], ['--hold-eof']);
    client.input.end('x');
    await server.prints('x');
    await pause(300);
    let hasEnded = false;
    server.output.once('end', () => (hasEnded = true));
    assert.ok(!hasEnded);
    server.input.end('y');
    assert.equal((await client.ended).stdout.toString(), 'y');
    assert.deepEqual([(await client.ended).code, (await server.ended).code], [0, 0]);
  });
});

describe('an end that is none', () => {
  /** A TLS server of Node's; `talk` gets the connection. */
  async function nodeServer(
    t: TestContext,
    talk: (socket: tls.TLSSocket, raw: net.Socket) => void,
  ): Promise<string> {
    const raws: net.Socket[] = [];
    const server = tls.createServer({ key: read('localhost.key'), cert: read('localhost.crt') }, (socket) => {
      socket.on('error', () => undefined);
      const [raw] = raws;
      assert.ok(raw);
      talk(socket, raw);
    });
    server.on('connection', (raw) => raws.push(raw as net.Socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => {
      for (const raw of raws) raw.destroy();
      server.close();
    });
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    return String(address.port);
  }

  it('without close_notify is reported, with everything that came before', async (t) => {
    const port = await nodeServer(t, (socket, raw) => {
      socket.write('half a fi', () => {
        setTimeout(() => raw.end(), 100);
      });
    });
    const client = tunnel(['-p', port]);
    const { code, stdout, stderr } = await client.ended;
    assert.deepEqual([code, stdout.toString()], [1, 'half a fi']);
    assert.match(stderr, /without TLS's end mark: data may be missing/);
  });

  it('by a reset is reported', async (t) => {
    const port = await nodeServer(t, (socket, raw) => {
      socket.write('x', () => {
        setTimeout(() => raw.resetAndDestroy(), 100);
      });
    });
    const { code, stderr } = await tunnel(['-p', port]).ended;
    assert.equal(code, 1);
    assert.match(stderr, /data may be missing/);
  });

  it('of the clear side does not look regular to the other end', async () => {
    const { server, client } = await pair();
    await client.says(/nobody has checked/);
    server.child.kill('SIGKILL');
    assert.equal((await client.ended).code, 1);
  });

  it('of a reader that goes away ends the tunnel', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint], { collects: false });
    const reader = new Runner([
      'sh',
      '-c',
      '"$0" "$@" | head -c 10',
      process.execPath,
      main,
      'tunnel',
      '-p',
      port,
    ]);
    void sendBytes(server.input, 8 * MEBIBYTE, 1).catch(() => undefined);
    assert.equal((await reader.ended).stdout.length, 10);
    assert.equal((await server.ended).code, 1);
  });
});

describe('memory', () => {
  it('stays bounded when the other end does not read, and everything arrives when it does', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', joint], { collects: false });
    const client = tunnel(['-p', port], { collects: false });
    server.input.end();
    server.output.pause();
    const size = 96 * MEBIBYTE;
    let sent = 0;
    const write = client.input.write.bind(client.input);
    client.input.write = (chunk: Uint8Array) => {
      sent += chunk.length;
      return write(chunk);
    };
    const sending = sendBytes(client.input, size, 9);
    let before = -1;
    // Until nothing moves any more.
    while (sent !== before) {
      before = sent;
      await pause(400);
    }
    assert.ok(sent < size / 2, `${sent} bytes were taken`);
    for (const { child } of [client, server]) assert.ok(residentBytes(child.pid) < 160 * MEBIBYTE);
    const taken = takeBytes(server.output, size);
    assert.equal(await taken, await sending);
    client.input.end();
    assert.equal((await client.ended).code, 0);
  });
});

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
  return Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]) * 1024;
}
