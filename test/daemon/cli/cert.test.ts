// `ftpseal cert` as people run it: files, modes, exit codes, sentences, the passphrase on a terminal.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openWorkshop, selfSigned, threeSteps, withoutPython, type Workshop } from '../cert/openssl.js';

const main = fileURLToPath(new URL('../../../daemon/main.js', import.meta.url));

let shop: Workshop;
beforeEach(() => {
  shop = openWorkshop();
});
afterEach(() => {
  shop.remove();
});

function cert(...argv: readonly string[]) {
  const result = spawnSync(process.execPath, [main, 'cert', ...argv], {
    cwd: shop.folder,
    encoding: 'utf8',
    input: '',
  });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

function done(...argv: readonly string[]): string {
  const { code, stdout, stderr } = cert(...argv);
  assert.equal(code, 0, stderr);
  return stdout;
}

const modeOf = (name: string) => statSync(shop.path(name)).mode & 0o777;
const read = (name: string) => readFileSync(shop.path(name), 'utf8');

/** SHA-256 as OpenSSL computes it, in ftpseal's writing. */
function digestText(command: string): string {
  const result = spawnSync('sh', ['-c', `${command} | openssl dgst -sha256 -binary | openssl base64`], {
    cwd: shop.folder,
    encoding: 'utf8',
  });
  const base64 = result.stdout.trim().replace(/=+$/, '');
  return `SHA256: ${base64.match(/.{1,4}/g)!.join(' ')}`;
}

describe('create', () => {
  it('writes key, certificate and request, the key for its owner only', () => {
    const text = done('create', 'ftp.example.com', '192.0.2.1', '--key-type', 'p-256', '--joint');
    assert.deepEqual(readdirSync(shop.folder).sort(), [
      'ftp.example.com.crt',
      'ftp.example.com.csr',
      'ftp.example.com.key',
      'ftp.example.com.pem',
    ]);
    assert.deepEqual(
      ['key', 'pem', 'crt', 'csr'].map((end) => modeOf(`ftp.example.com.${end}`)),
      [0o600, 0o600, 0o644, 0o644],
    );
    assert.ok(shop.accepts(['verify', '-CAfile', 'ftp.example.com.crt', 'ftp.example.com.crt']));
    assert.match(text, /names +ftp\.example\.com, 192\.0\.2\.1\n/);
  });

  it('shows both fingerprints as OpenSSL computes them and as the question shows them', () => {
    const text = done('create', 'ftp.example.com', '--key-type', 'p-256', '--out', 'a');
    const key = digestText('openssl x509 -in a.crt -noout -pubkey | openssl pkey -pubin -outform DER');
    const certificate = digestText('openssl x509 -in a.crt -outform DER');
    assert.ok(text.includes(`\nKey            ${key}\n`), text);
    assert.ok(text.includes(`SHA-256      ${certificate}\n`), text);
    assert.ok(done('show', 'a.key').includes(key));
    assert.ok(done('show', 'a.csr').includes(key));
    const json = JSON.parse(done('show', 'a.crt', '--json')) as {
      certificates: { keyFingerprint: string }[];
    };
    assert.equal(json.certificates[0]?.keyFingerprint, key.replace(/ /g, ''));
  });

  it('never replaces a file without --force, and then leaves nothing half done', () => {
    done('create', 'a.test', '--key-type', 'p-256', '--out', 'a');
    const before = read('a.key');
    const { code, stderr } = cert('create', 'a.test', '--key-type', 'p-256', '--out', 'a');
    assert.equal(code, 2);
    assert.match(stderr, /a\.key is there already .* --force/);
    assert.equal(read('a.key'), before);
    shop.write('b.csr', 'mine');
    assert.equal(cert('create', 'a.test', '--key-type', 'p-256', '--out', 'b').code, 2);
    assert.ok(!existsSync(shop.path('b.key')));
    done('create', 'a.test', '--key-type', 'p-256', '--out', 'a', '--force');
    assert.notEqual(read('a.key'), before);
    assert.deepEqual(
      readdirSync(shop.folder).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });

  it('with --json says what was written', () => {
    const json = JSON.parse(done('create', '*.a.test', '--key-type', 'p-384', '--json')) as {
      files: string[];
      names: string[];
    };
    assert.deepEqual(json.files, ['_.a.test.key', '_.a.test.crt', '_.a.test.csr']);
    assert.deepEqual(json.names, ['*.a.test']);
  });

  it('refuses what makes no sense, with exit code 2', () => {
    for (const [argv, reason] of [
      [['a.test', '--key-type', 'rsa-1024'], /can be broken/],
      [['a.test', '--days', '0'], /--days/],
      [['a b'], /no name of a server/],
      [['a.test', '--country', 'Germany'], /two capital letters/],
      [['a.test', '--key-type', 'p-256', '--out', 'no/where'], /folder of no\/where\.key does not exist/],
    ] as const) {
      const { code, stderr } = cert('create', ...argv);
      assert.equal(code, 2, stderr);
      assert.match(stderr, reason);
    }
    assert.deepEqual(readdirSync(shop.folder), []);
  });
});

describe('csr', () => {
  it('for a key that is there uses it, and for a new one writes it', () => {
    done('csr', 'a.test', '--key-type', 'p-256');
    assert.match(shop.openssl(['req', '-verify', '-noout', '-in', 'a.test.csr']), /verify OK/);
    done('csr', 'b.test', '--key', 'a.test.key', '--out', 'b');
    const publicOf = (file: string) => shop.openssl(['req', '-in', file, '-noout', '-pubkey']);
    assert.equal(publicOf('b.csr'), publicOf('a.test.csr'));
    assert.ok(!existsSync(shop.path('b.key')));
  });

  it('refuses a weak key', () => {
    selfSigned(shop, 'weak', [], ['-newkey', 'rsa:1024']);
    const { code, stderr } = cert('csr', 'a.test', '--key', 'weak.key');
    assert.equal(code, 1);
    assert.match(stderr, /rsa 1024\) is too weak/);
  });
});

describe('import', () => {
  it('of what the authority sent back for our request', () => {
    selfSigned(shop, 'root');
    done('csr', 'a.test', '--key-type', 'rsa-2048');
    const ca = ['-CA', 'root.crt', '-CAkey', 'root.key', '-CAcreateserial', '-copy_extensions', 'copy'];
    shop.openssl(['x509', '-req', '-in', 'a.test.csr', ...ca, '-days', '90', '-out', 'back.crt']);
    const text = done(
      'import',
      'a.test.key',
      'back.crt',
      '--authority',
      'root.crt',
      '--out',
      'server',
      '--strict',
    );
    assert.doesNotMatch(text, /Warning/);
    assert.ok(shop.accepts(['verify', '-CAfile', 'root.crt', '-verify_hostname', 'a.test', 'server.crt']));
  });

  it('puts the chain in order, says so, and writes the key without passphrase', () => {
    threeSteps(shop);
    shop.openssl(['pkcs8', '-topk8', '-in', 'ftp.key', '-out', 'locked.key', '-passout', 'pass:geheim']);
    shop.write('pass', 'geheim\n');
    const files = ['middle.crt', 'locked.key', 'ftp.crt'];
    const text = done('import', ...files, '--passphrase-file', 'pass', '--authority', 'root.crt', '--joint');
    assert.match(text, /Written: ftp\.test\.key, ftp\.test\.crt, ftp\.test\.pem, in the right order/);
    assert.match(text, /Warning: The certificates stand in the wrong order/);
    assert.equal(read('ftp.test.crt'), [read('ftp.crt'), read('middle.crt')].join(''));
    assert.equal(modeOf('ftp.test.key'), 0o600);
    assert.match(read('ftp.test.key'), /BEGIN PRIVATE KEY/);
    assert.ok(shop.accepts(['verify', '-CAfile', 'root.crt', '-untrusted', 'ftp.test.crt', 'ftp.test.crt']));
    // What was written can be imported again, and exported with OpenSSL.
    shop.openssl(['pkcs12', '-export', '-in', 'ftp.test.pem', '-out', 'x.p12', '-passout', 'pass:x']);
    done('import', 'ftp.test.pem', '--out', 'again', '--authority', 'root.crt', '--strict');
    assert.equal(read('again.crt'), read('ftp.test.crt'));
  });

  it('with --strict writes nothing where clients would object', () => {
    selfSigned(shop, 'alone');
    const { code, stderr } = cert('import', 'alone.key', 'alone.crt', '--strict', '--out', 'x');
    assert.equal(code, 1);
    assert.match(stderr, /no alternative names[^]*signed by itself/);
    assert.ok(!existsSync(shop.path('x.key')));
  });

  it('says what is wrong, with exit code 1 or 2, and writes nothing', () => {
    selfSigned(shop, 'a');
    selfSigned(shop, 'b');
    shop.openssl(['pkcs8', '-topk8', '-in', 'a.key', '-out', 'locked.key', '-passout', 'pass:geheim']);
    shop.write('wrong', 'nein\n');
    for (const [argv, code, reason] of [
      [['a.key', 'b.crt'], 1, /does not belong/],
      [['a.crt'], 1, /no private key/],
      [['nowhere.key'], 2, /nowhere\.key can't be read/],
      [['locked.key', 'a.crt'], 2, /no terminal to ask on; give --passphrase-file/],
      [['locked.key', 'a.crt', '--passphrase-file', 'wrong'], 1, /passphrase for locked\.key is wrong/],
      [['locked.key', 'a.crt', '--passphrase-file', 'gone'], 2, /passphrase file gone can't be read/],
    ] as const) {
      const result = cert('import', ...argv, '--out', 'x');
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, reason);
      assert.ok(!existsSync(shop.path('x.key')));
    }
  });
});

describe('the passphrase on a terminal', { skip: withoutPython }, () => {
  /** A terminal of its own, on which `typed` is typed whenever the program asks; returns what the screen showed. */
  async function onTerminal(
    typed: readonly string[],
    argv: readonly string[],
  ): Promise<{ code: number; screen: string }> {
    const script = [
      'import os, pty, sys, json',
      'typed = json.loads(sys.argv[1]); pid, fd = pty.fork()',
      'if pid == 0: os.execvp(sys.argv[2], sys.argv[2:])',
      "screen = b''; seen = 0",
      'while True:',
      '    try: chunk = os.read(fd, 4096)',
      '    except OSError: break',
      '    if not chunk: break',
      '    screen += chunk',
      "    while typed and screen.count(b'Passphrase for') > seen:",
      '        seen += 1; os.write(fd, typed.pop(0).encode())',
      'sys.stdout.buffer.write(screen); sys.stdout.flush()',
      'sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))',
    ].join('\n');
    const child = spawn(
      'python3',
      ['-c', script, JSON.stringify(typed), process.execPath, main, 'cert', ...argv],
      {
        cwd: shop.folder,
      },
    );
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
    const code = await new Promise<number>((resolve) => {
      child.on('close', (status) => {
        resolve(status ?? -1);
      });
    });
    return { code, screen };
  }

  beforeEach(() => {
    selfSigned(shop, 'a');
    shop.openssl(['pkcs8', '-topk8', '-in', 'a.key', '-out', 'locked.key', '-passout', 'pass:geheim']);
  });
  const argv = ['import', 'locked.key', 'a.crt', '--out', 'x'];

  it('is not echoed; a wrong one may be corrected, and typing mistakes taken back', async () => {
    const { code, screen } = await onTerminal(['falsch\r', 'gehx\u007feim\r'], argv);
    assert.equal(code, 0, screen);
    assert.match(screen, /Passphrase for locked\.key: [^]*Wrong\. Passphrase for locked\.key: /);
    assert.doesNotMatch(screen, /falsch|geh/);
    assert.ok(existsSync(shop.path('x.key')));
  });

  it('three wrong ones end it, and Ctrl-C at once', async () => {
    const wrong = await onTerminal(['a\r', 'b\r', 'c\r', 'd\r'], argv);
    assert.equal(wrong.code, 1);
    assert.match(wrong.screen, /passphrase for locked\.key is wrong/);
    const given = await onTerminal(['\u0003'], argv);
    assert.equal(given.code, 2);
    assert.match(given.screen, /nothing was done/);
    assert.ok(!existsSync(shop.path('x.key')));
  });
});

describe('help', () => {
  it('has examples', () => {
    for (const command of ['', 'create', 'csr', 'import', 'show']) {
      const text = done(...[command, '--help'].filter((word) => word !== ''));
      assert.match(text, /Examples:\n {2}ftpseal cert/);
    }
  });
});
