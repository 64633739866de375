// Programs that can do FTPS themselves keep their own encryption (the issue's Show 4): end to end to the server's own
// certificate, which they verify, with nothing of ftpseal in between but the relaying of bytes.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { run, start, waitFor, type Finished, type Place } from './harness/command.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { proftpdNoReuse } from './servers/proftpd.js';
import { vsftpd } from './servers/vsftpd.js';
import { clientFolder, digest, keys, place, readAt, sessions, withNames } from './show/ground.js';
import { FtpTalk } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';

const down = content(700_000, 3);
const up = content(90_000, 4);

/** Its passive ports are some of those that ftpseal uses as virtual ones. */
const overlapping = vsftpd('vsftpd-overlap', 'passive ports among the virtual ones', true, [
  'pasv_min_port=21300',
  'pasv_max_port=21320',
]);

let lab: Lab;
let daemon: Daemon;
let strict: LabServer;
let lax: LabServer;
let folder: string;

before(async () => {
  lab = await openLab();
  strict = await lab.server(overlapping, { certificate: await lab.certificate('strict') });
  lax = await lab.server(proftpdNoReuse, { certificate: await lab.certificate('lax') });
  for (const server of [strict, lax]) place(server, 'down.bin', down);
  folder = clientFolder(lab, 'show-4');
  writeFileSync(path.join(folder, 'up.bin'), up);
  // Whoever would have to be asked is asked: an intercepted session would wait, and fail here.
  daemon = await startDaemon(lab, 'show-4', '[trust]\nunknown = "refuse"\nstore = "file"\n');
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

function person(): Place {
  return { namespace: lab.network.pc, uid: clientUid, cwd: folder, env: { HOME: folder } };
}

function curl(
  server: LabServer,
  name: string,
  options: readonly string[],
  target: string,
): readonly string[] {
  const verify = ['--ssl-reqd', '--cacert', server.certificate.certificate];
  const resolve = ['--resolve', `${name}.test:21:${server.address.ipv4}`];
  const base = ['curl', '-sS', '--max-time', '40', '--user', `${login.user}:${login.password}`];
  return [...base, ...verify, ...resolve, ...options, `ftp://${name}.test/${target}`];
}

async function curlThrice(server: LabServer, name: string): Promise<void> {
  const listed = await run(person(), curl(server, name, [], ''));
  assert.match(listed.stdout, /down\.bin/, listed.stderr);
  const got = await run(person(), curl(server, name, ['--output', `${name}.got`], 'down.bin'));
  assert.equal(got.code, 0, `get: ${got.stderr}`);
  assert.equal(digest(readFileSync(path.join(folder, `${name}.got`))), digest(down));
  const put = await run(person(), curl(server, name, ['--upload-file', 'up.bin'], 'curl.up'));
  assert.equal(put.code, 0, `put: ${put.stderr}`);
  assert.equal(digest(readAt(server, 'curl.up')), digest(up));
}

test('curl --ssl-reqd verifies the servers’ own certificates, lists, gets and puts (T13)', async () => {
  await curlThrice(strict, 'strict');
  await curlThrice(lax, 'lax');
});

test('and leaves no key behind: its trust is the program’s own', async () => {
  const known = await keys(daemon);
  assert.deepEqual({ keys: known.keys, secured: known.secured }, { keys: [], secured: [] });
});

test('curl notices a certificate that is not the server’s: the check is really end to end', async () => {
  const wrong = curl({ ...strict, certificate: lax.certificate }, 'strict', [], '');
  const finished = await run(person(), wrong);
  assert.equal(finished.code, 60, finished.stderr);
});

test('curl’s own data connections pass also where their ports are ftpseal’s virtual ones', async () => {
  const script = new Talker({ namespace: lab.network.pc, uid: clientUid });
  await daemon.json(['keys', 'add', strict.address.ipv4, strict.certificate.fingerprint], clientUid);
  const talk = await FtpTalk.open(script, strict.address.ipv4);
  await talk.login();
  const fetched = await talk.fetch('EPSV', 'RETR down.bin');
  assert.equal(fetched.final.code, 226);
  const set = await run({ namespace: lab.network.pc }, ['nft', 'list', 'set', 'inet', 'ftpseal', 'servers4']);
  assert.match(set.stdout, new RegExp(strict.address.ipv4.replaceAll('.', '\\.')), 'the range is redirected');
  await curlThrice(strict, 'strict');
  await talk.expect(221, 'QUIT');
  await script.stop();
});

function lftpScript(name: string): string {
  return [
    'set ftp:ssl-force yes',
    'set ftp:ssl-protect-data yes',
    'set ssl:verify-certificate yes',
    'set ssl:check-hostname yes',
    `set ssl:ca-file ${path.join(folder, `${name}.ca`)}`,
    'set net:max-retries 1',
    'set net:timeout 20',
    'set cmd:interactive no',
    'set cmd:fail-exit yes',
    `open -u ${login.user},${login.password} ftp://${name}.test`,
    'cls -l',
    `get down.bin -o ${name}.lftp`,
    'put up.bin -o lftp.up',
    'bye',
    '',
  ].join('\n');
}

async function lftp(server: LabServer, name: string, ca: string): Promise<Finished> {
  writeFileSync(path.join(folder, `${name}.ca`), readFileSync(ca));
  const hosts = withNames(lab, { [`${name}.test`]: server.address.ipv4 });
  const place = { namespace: lab.network.pc, cwd: folder, env: { HOME: path.join(folder, 'home') } };
  return run(place, hosts(clientUid, ['lftp']), { input: lftpScript(name) });
}

test('lftp with forced TLS verifies the server’s certificate, lists, gets and puts', async () => {
  // Not vsftpd: lftp's GnuTLS does not resume the control session on TLS 1.3, and vsftpd then drops its data connections.
  const finished = await lftp(lax, 'lax', lax.certificate.certificate);
  assert.equal(finished.code, 0, finished.stderr);
  assert.match(finished.stdout, /down\.bin/);
  assert.equal(digest(readFileSync(path.join(folder, 'lax.lftp'))), digest(down));
  assert.equal(digest(readAt(lax, 'lftp.up')), digest(up));
  const wrong = await lftp(lax, 'lax', strict.certificate.certificate);
  assert.match(wrong.stderr, /[Cc]ertificate verification/);
});

test('such a session is shown as tunnelled, in sessions and in the log', async () => {
  // It speaks TLS itself and stays until it is ended.
  const held = start(person(), [
    ...['openssl', 's_client', '-quiet', '-starttls', 'ftp'],
    ...['-connect', `${strict.address.ipv4}:21`],
  ]);
  const mine = () => sessions(daemon, clientUid);
  await waitFor('a tunnelled session', async () =>
    (await mine()).some(({ state }) => state.protection === 'tunnelled'),
  );
  await waitFor('the table to show it', async () =>
    (await daemon.cli(['sessions'], clientUid)).stdout.includes("program's own"),
  );
  await held.stop();
  assert.match((await daemon.cli(['log'])).stdout, /session tunnelled/);
});

test('a program that asks for encryption and then goes on without is stopped before its password', async () => {
  const talker = new Talker({ namespace: lab.network.pc, uid: clientUid });
  const talk = await FtpTalk.open(talker, lax.address.ipv4);
  await talk.expect(234, 'AUTH TLS');
  const before = lax.log();
  const reply = await talk.command('USER afterwards');
  assert.equal(reply.code, 421, reply.text);
  assert.equal(reply.end ?? (await talk.reply()).end, 'eof');
  assert.doesNotMatch(lax.log().slice(before.length), /afterwards/);
  await talker.stop();
});
