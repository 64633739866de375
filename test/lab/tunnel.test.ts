// `ftpseal tunnel` with the TLS tunnels of others at the other end, in both roles: OpenSSL's s_client and s_server, socat,
// stunnel. On loopback. FTPSEAL_TUNNEL_BYTES=1073741824 sends a gibibyte each way instead of a few mebibytes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, afterEach, before, describe, it, type TestContext } from 'node:test';
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
} from '../daemon/tunnel/tunnel-process.js';

const size = Number(process.env['FTPSEAL_TUNNEL_BYTES'] ?? 16 * 1024 * 1024);

let folder: string;
const file = (name: string) => path.join(folder, name);
const sockets: net.Socket[] = [];
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'ftpseal-tunnel-'));
  const made = ['create', 'localhost', '127.0.0.1', '--joint', '--key-type', 'p-256', '--out', file('sst')];
  assert.equal((await new Runner([process.execPath, main, 'cert', ...made]).ended).code, 0);
});
afterEach(() => {
  endRunning();
  for (const socket of sockets.splice(0)) socket.destroy();
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The clear side of one end of a tunnel. */
interface End {
  readonly write: Writable;
  readonly read: Readable;
  /** Settles with the exit code, where the end is a process that ends with its connection. */
  readonly code: Promise<number> | undefined;
}

const endOf = (runner: Runner): End => ({
  write: runner.input,
  read: runner.output,
  code: runner.ended.then(({ code }) => code),
});

/** Somebody else's tunnel. */
interface Foreign {
  readonly name: string;
  /** Whether it goes on in one direction when the other has ended. */
  readonly halfClose: boolean;
  /** Connects to a TLS server at the port. */
  client(port: number): Promise<End>;
  /** Serves TLS at the port; the end comes with the first connection. */
  server(port: number): Promise<{ readonly end: Promise<End> }>;
}

async function listens(port: number): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // Local address, remote address, and the state LISTEN.
  const line = new RegExp(`^ *[0-9]+: [0-9A-F]+:${hex} [0-9A-F:]+ 0A `, 'm');
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
  for (let tries = 0; !tables.some((table) => line.test(readFileSync(table, 'utf8'))); tries += 1) {
    if (tries > 500) throw new Error(`nothing listens on ${port}`);
    await pause(20);
  }
}

const quiet = { collects: false };

const openssl: Foreign = {
  name: 'openssl',
  halfClose: false,
  client: (port) => {
    const argv = [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-quiet',
      '-nocommands',
      '-no_ign_eof',
      '-verify_quiet',
    ];
    return Promise.resolve(endOf(new Runner(['openssl', ...argv], quiet)));
  },
  server: async (port) => {
    const identity = ['-cert', file('sst.crt'), '-key', file('sst.key')];
    const argv = ['s_server', '-accept', `127.0.0.1:${port}`, ...identity, '-quiet', '-naccept', '1'];
    const runner = new Runner(['openssl', ...argv], quiet);
    await listens(port);
    return { end: Promise.resolve(endOf(runner)) };
  },
};

const socat: Foreign = {
  name: 'socat',
  halfClose: true,
  client: (port) =>
    Promise.resolve(
      endOf(new Runner(['socat', '-t', '30', '-', `OPENSSL:127.0.0.1:${port},verify=0`], quiet)),
    ),
  server: async (port) => {
    // Not its standard output: that stays open until socat ends.
    const backend = await openBackend();
    const listen = `OPENSSL-LISTEN:${port},bind=127.0.0.1,reuseaddr,cert=${file('sst.pem')},verify=0`;
    new Runner(['socat', '-t', '30', listen, `TCP:127.0.0.1:${backend.port}`], quiet);
    await listens(port);
    return { end: backend.end };
  },
};

const stunnel: Foreign = {
  name: 'stunnel',
  halfClose: true,
  client: async (port) => {
    const accept = await freePort();
    startStunnel('client', ['client = yes', `accept = 127.0.0.1:${accept}`, `connect = 127.0.0.1:${port}`]);
    await listens(accept);
    const socket = net.connect({ port: accept, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket);
    await once(socket, 'connect');
    return { write: socket, read: socket, code: undefined };
  },
  server: async (port) => {
    const { end, port: to } = await openBackend();
    startStunnel('server', [
      `accept = 127.0.0.1:${port}`,
      `connect = 127.0.0.1:${to}`,
      `cert = ${file('sst.pem')}`,
    ]);
    await listens(port);
    return { end };
  },
};

/** A plain server; the end is its first connection. */
async function openBackend(): Promise<{ readonly port: number; readonly end: Promise<End> }> {
  const backend = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(backend, 'listening');
  const port = portOf(backend);
  const end = once(backend, 'connection').then((arrived: readonly unknown[]): End => {
    const [socket] = arrived;
    assert.ok(socket instanceof net.Socket);
    sockets.push(socket);
    backend.close();
    return { write: socket, read: socket, code: undefined };
  });
  return { port, end };
}

function startStunnel(name: string, lines: readonly string[]): void {
  const config = file(`stunnel-${name}.conf`);
  writeFileSync(config, ['foreground = yes', 'syslog = no', 'pid =', '[t]', ...lines, ''].join('\n'));
  new Runner(['stunnel4', config]);
}

function portOf(server: net.Server): number {
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return address.port;
}

const ours: Foreign = {
  name: 'ftpseal itself',
  halfClose: true,
  client: (port) => Promise.resolve(endOf(tunnel(['-p', String(port)], quiet))),
  server: async (port) => {
    const runner = tunnel(['-s', '-p', `127.0.0.1:${port}`, '-C', file('sst.pem')], quiet);
    await listens(port);
    return { end: Promise.resolve(endOf(runner)) };
  },
};

interface Joined {
  readonly client: End;
  readonly server: End;
}

/** ftpseal as the client of somebody else's server. */
async function asClient(foreign: Foreign, ...argv: readonly string[]): Promise<Joined> {
  const port = await freePort();
  const { end } = await foreign.server(port);
  const client = endOf(tunnel(['-p', String(port), ...argv], quiet));
  return { client, server: await end };
}

/** ftpseal as the server of somebody else's client. */
async function asServer(foreign: Foreign, ...argv: readonly string[]): Promise<Joined> {
  const { runner, port } = await listeningTunnel(['-C', file('sst.pem'), ...argv], quiet);
  return { client: await foreign.client(Number(port)), server: endOf(runner) };
}

/** `size` bytes both ways at once, then the client ends, then the server. */
async function exchange({ client, server }: Joined, t: TestContext): Promise<void> {
  const started = performance.now();
  const taken = Promise.all([takeBytes(server.read, size), takeBytes(client.read, size)]);
  const sent = Promise.all([sendBytes(client.write, size, 1), sendBytes(server.write, size, 2)]);
  const [there, sentThere] = await Promise.all([taken, sent]);
  const seconds = (performance.now() - started) / 1000;
  assert.deepEqual(there, sentThere);
  t.diagnostic(`${size} bytes each way, ${Math.round((2 * size) / 1e6 / seconds)} MB/s both ways together`);
  client.write.end();
  await pause(200);
  server.write.end();
}

const roles = [
  { role: 'client', join: asClient, own: (joined: Joined) => joined.client },
  { role: 'server', join: asServer, own: (joined: Joined) => joined.server },
] as const;

for (const foreign of [openssl, socat, stunnel, ours]) {
  for (const { role, join, own } of roles) {
    describe(`as ${role}, ${foreign.name} at the other end`, () => {
      it('binary data both ways, equal SHA-256, exit code 0', async (t) => {
        const joined = await join(foreign);
        await exchange(joined, t);
        assert.equal(await own(joined).code, 0);
      });

      // OpenSSL's own programs take the first close_notify for the end of everything.
      if (!foreign.halfClose) return;
      it('half-close: an answer after the client’s end of file', async () => {
        const joined = await join(foreign);
        const { client, server } = joined;
        const question = textOf(server.read);
        const answer = textOf(client.read);
        client.write.end('question');
        assert.equal(await question, 'question');
        await pause(300);
        server.write.end('answer');
        assert.equal(await answer, 'answer');
        assert.equal(await own(joined).code, 0);
      });
    });
  }
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
  await once(stream, 'end');
  return text;
}

describe('-e', () => {
  it('ends at standard input’s end, though the server would go on', async () => {
    for (const foreign of [socat, stunnel]) {
      const { client, server } = await asClient(foreign, '-e');
      const heard = textOf(server.read);
      client.write.end('last words');
      assert.equal(await client.code, 0);
      assert.equal(await heard, 'last words');
    }
  });
});

describe('an end that is none', () => {
  it('a server killed: exit code 1', async () => {
    const port = await freePort();
    const identity = ['-cert', file('sst.crt'), '-key', file('sst.key')];
    const server = new Runner(['openssl', 's_server', '-accept', `127.0.0.1:${port}`, ...identity, '-quiet']);
    await listens(port);
    const client = tunnel(['-v', '-p', String(port)]);
    await client.says(/secured/);
    server.child.kill('SIGKILL');
    const { code, stderr } = await client.ended;
    assert.equal(code, 1);
    assert.match(stderr, /data may be missing/);
  });
});

describe('certificates both ways', () => {
  it('s_server that demands one gets it with -C, and refuses without', async () => {
    const port = await freePort();
    const identity = ['-cert', file('sst.crt'), '-key', file('sst.key'), '-CAfile', file('sst.crt')];
    const argv = [
      's_server',
      '-accept',
      `127.0.0.1:${port}`,
      ...identity,
      '-Verify',
      '1',
      '-verify_return_error',
      '-quiet',
    ];
    const server = new Runner(['openssl', ...argv]);
    await listens(port);
    const without = tunnel(['-p', String(port)]);
    const refused = await without.ended;
    assert.equal(refused.code, 1);
    const client = tunnel(['-p', String(port), '-C', file('sst.pem')]);
    client.input.write('who I am\n');
    await server.prints('who I am');
    client.input.end();
    assert.equal((await client.ended).code, 0);
  });

  it('s_client is asked by -r, and judged by -S and -D', async () => {
    const trusted = path.join(folder, 'trusted');
    await new Runner(['mkdir', trusted]).ended;
    await new Runner(['cp', file('sst.crt'), trusted]).ended;
    const connect = async (more: readonly string[]) => {
      const { runner, port } = await listeningTunnel(['-C', file('sst.pem'), '-r', '-S', '-D', trusted]);
      const argv = ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-no_ign_eof', ...more];
      const client = new Runner(['openssl', ...argv]);
      client.input.end('hello\n');
      await client.ended;
      runner.input.end();
      return runner.ended;
    };
    const shown = await connect(['-cert', file('sst.crt'), '-key', file('sst.key')]);
    assert.deepEqual([shown.code, shown.stdout.toString()], [0, 'hello\n'], shown.stderr);
    const hidden = await connect([]);
    assert.deepEqual([hidden.code, hidden.stdout.length], [1, 0]);
    assert.match(hidden.stderr, /showed no certificate/);
  });

  it('old versions of TLS are refused', async () => {
    const { runner, port } = await listeningTunnel(['-C', file('sst.pem')]);
    const argv = [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-tls1_1',
      '-cipher',
      'ALL:@SECLEVEL=0',
      '-quiet',
    ];
    const client = new Runner(['openssl', ...argv]);
    assert.notEqual((await client.ended).code, 0);
    assert.equal((await runner.ended).code, 1);
    assert.match(runner.stderr, /speaks no version of TLS that is allowed/);
  });
});

describe('behind socat EXEC, as behind inetd', () => {
  async function served(words: string): Promise<{ readonly port: string; readonly socat: Runner }> {
    const port = await freePort();
    const program = `${process.execPath} ${main} tunnel -i -C ${file('sst.pem')} ${words}`;
    const runner = new Runner([
      'socat',
      '-t',
      '30',
      `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`,
      `EXEC:${program}`,
    ]);
    await listens(port);
    return { port: String(port), socat: runner };
  }

  it('forwards to a port: binary data both ways', async (t) => {
    const backend = await openBackend();
    const { port } = await served(`-p ${backend.port}`);
    const client = endOf(tunnel(['-p', port], quiet));
    const server = await backend.end;
    await exchange({ client, server }, t);
    assert.equal(await client.code, 0);
  });

  it('wraps a program, for s_client too', async () => {
    const { port } = await served('-- tr a-z A-Z');
    const client = tunnel(['-p', port]);
    client.input.end('through socat');
    assert.equal((await client.ended).stdout.toString(), 'THROUGH SOCAT');
    const other = await served('-- echo greeting');
    const foreign = await new Runner(['openssl', 's_client', '-connect', `127.0.0.1:${other.port}`, '-quiet'])
      .ended;
    assert.equal(foreign.stdout.toString(), 'greeting\n');
  });
});

describe('over a program that carries it', () => {
  it('netcat’s part is socat’s', async () => {
    const { runner: server, port } = await listeningTunnel(['-C', file('sst.pem')]);
    const client = tunnel(['--', 'socat', '-t', '30', '-', `TCP:127.0.0.1:${port}`]);
    client.input.end('carried');
    await server.prints('carried');
    server.input.end('back');
    const { code, stdout } = await client.ended;
    assert.deepEqual([code, stdout.toString()], [0, 'back']);
  });
});

describe('-l', () => {
  it('writes to the system’s log and not to standard error', async () => {
    // A /dev of its own in a mount namespace of its own, with a log that is read here.
    const script = [
      'set -e; mkdir "$0/dev"; mount -t tmpfs none "$0/dev"',
      'for one in null zero random urandom tty; do touch "$0/dev/$one"; mount --bind "/dev/$one" "$0/dev/$one"; done',
      'ln -s /proc/self/fd "$0/dev/fd"; mount --move "$0/dev" /dev',
      'exec python3 -c "$LISTENER" "$@"',
    ].join('; ');
    const listener = [
      'import socket, subprocess, sys',
      "log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); log.bind('/dev/log'); log.settimeout(20)",
      'child = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)',
      'print(log.recv(4096).decode(), child.returncode)',
    ].join('\n');
    const argv = [process.execPath, main, 'tunnel', '-l', '-p', '1', '--name', '%s%n'];
    const place = ['env', `LISTENER=${listener}`, 'unshare', '--mount', '--propagation', 'private'];
    const wrong = await new Runner([...place, 'sh', '-c', script, folder, ...argv]).ended;
    assert.match(
      wrong.stdout.toString(),
      /^<27>.*ftpseal-tunnel\[[0-9]+\]: --name %s%n is neither .* 2\n$/,
      wrong.stderr,
    );
    assert.equal(wrong.stderr, '');
  });
});
