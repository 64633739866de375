// Certificates of `ftpseal cert` at work: vsftpd serves with them, curl (OpenSSL) and lftp (GnuTLS) verify them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Certificate } from './harness/certificates.js';
import { login } from './harness/account.js';
import { must, run, type Finished } from './harness/command.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import { repository, type LabServer } from './harness/server.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { place } from './show/ground.js';

const main = path.join(repository, 'dist/daemon/main.js');
const name = 'ftp.example.test';
const down = content(300_000, 3);

let lab: Lab;
let folder: string;
before(async () => {
  lab = await openLab();
  folder = path.join(lab.folder, 'made');
  mkdirSync(folder, { mode: 0o755 });
});
after(() => lab.close());

const cert = (argv: readonly string[]) => must({ cwd: folder }, [process.execPath, main, 'cert', ...argv]);
const openssl = (argv: readonly string[]) => must({ cwd: folder }, ['openssl', ...argv]);

/** The files that `cert` wrote at `base`, for the harness. */
function certificateAt(base: string): Certificate {
  const file = (end: string) => path.join(folder, `${base}.${end}`);
  return { certificate: file('crt'), key: file('key'), both: file('pem'), fingerprint: '' };
}

async function serverWith(base: string): Promise<LabServer> {
  const server = await lab.server(vsftpdTls, { certificate: certificateAt(base) });
  place(server, 'down.bin', down);
  return server;
}

/** An explicit FTPS download into `out`, with a check of the certificate against `authority`. */
function curl(server: LabServer, authority: string, out: string, host = name): Promise<Finished> {
  const options = [
    '--ssl-reqd',
    '--cacert',
    path.join(folder, authority),
    '--user',
    `${login.user}:${login.password}`,
  ];
  const to = ['--resolve', `${host}:21:${server.address.ipv4}`, `ftp://${host}/down.bin`, '-o', out];
  return run({ namespace: lab.network.pc }, ['curl', '-sS', '--max-time', '30', ...options, ...to]);
}

async function isFetched(server: LabServer, authority: string): Promise<void> {
  const out = path.join(folder, 'fetched');
  writeFileSync(out, '');
  const finished = await curl(server, authority, out);
  assert.equal(finished.code, 0, `${finished.stderr}\n${server.log()}`);
  assert.ok(readFileSync(out).equals(down));
}

for (const kind of ['rsa-2048', 'p-256', 'p-384']) {
  describe(`cert create --key-type ${kind}`, () => {
    it('serves in vsftpd; curl and lftp verify it for its name, and for no other', async () => {
      await cert(['create', name, '--key-type', kind, '--out', kind, '--joint']);
      const server = await serverWith(kind);
      await isFetched(server, `${kind}.crt`);
      const other = await curl(server, `${kind}.crt`, '/dev/null', 'other.example.test');
      assert.equal(other.code, 60, other.stderr);
      await lftpFetches(server, `${kind}.crt`);
    });
  });
}

async function lftpFetches(server: LabServer, authority: string): Promise<void> {
  const out = path.join(folder, 'lftp.bin');
  const hosts = path.join(folder, 'hosts');
  writeFileSync(hosts, `127.0.0.1 localhost\n${server.address.ipv4} ${name}\n`);
  const commands = [
    `set ssl:ca-file ${path.join(folder, authority)}`,
    'set ssl:verify-certificate yes; set ssl:check-hostname yes; set ftp:ssl-force yes; set ftp:ssl-protect-data yes',
    'set net:max-retries 1; set net:timeout 10; set dns:order "inet"; set xfer:clobber yes',
    `open -u ${login.user},${login.password} ${name}`,
    `get down.bin -o ${out}; quit`,
  ];
  const inside = 'mount --bind "$0" /etc/hosts && exec "$@"';
  const argv = ['unshare', '--mount', 'sh', '-c', inside, hosts, 'lftp', '-c', commands.join('; ')];
  const finished = await run({ namespace: lab.network.pc }, argv);
  assert.equal(finished.code, 0, finished.stderr + finished.stdout);
  assert.ok(readFileSync(out).equals(down));
}

describe('cert csr, then cert import of what the authority sent', () => {
  it('serves in vsftpd; curl knows the authority only', async () => {
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await openssl([
      'req',
      '-x509',
      ...ec,
      '-keyout',
      'root.key',
      '-out',
      'root.crt',
      '-subj',
      '/CN=root',
      '-days',
      '90',
    ]);
    await openssl(['req', ...ec, '-keyout', 'middle.key', '-out', 'middle.csr', '-subj', '/CN=middle']);
    writeFileSync(path.join(folder, 'middle.ext'), 'basicConstraints=critical,CA:TRUE\n');
    const signing = (by: string) => [
      '-CA',
      `${by}.crt`,
      '-CAkey',
      `${by}.key`,
      '-CAcreateserial',
      '-days',
      '90',
    ];
    await openssl([
      'x509',
      '-req',
      '-in',
      'middle.csr',
      ...signing('root'),
      '-extfile',
      'middle.ext',
      '-out',
      'middle.crt',
    ]);
    await cert(['csr', name, '--key-type', 'p-256', '--out', 'asked']);
    await openssl([
      'x509',
      '-req',
      '-in',
      'asked.csr',
      ...signing('middle'),
      '-copy_extensions',
      'copy',
      '-out',
      'back.crt',
    ]);

    // In the wrong order and in a PKCS#12 file; written the right way round.
    await openssl([
      'pkcs12',
      '-export',
      '-inkey',
      'asked.key',
      '-in',
      'back.crt',
      '-certfile',
      'middle.crt',
      '-passout',
      'pass:geheim',
      '-out',
      'all.p12',
    ]);
    writeFileSync(path.join(folder, 'passphrase'), 'geheim\n', { mode: 0o600 });
    const from = ['middle.crt', 'all.p12', '--passphrase-file', 'passphrase'];
    const said = await cert(['import', ...from, '--authority', 'root.crt', '--out', 'imported', '--joint']);
    assert.match(said, /in the right order/);
    await isFetched(await serverWith('imported'), 'root.crt');
  });
});
