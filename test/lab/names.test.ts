// Where names of servers come from, and what an authority's word is worth then: a real DNS server, a real systemd-resolved, real FTPS
// servers with certificates of an authority that the machine does not know and the configuration adds.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { makeAuthority, makeIssued, type Certificate } from './harness/certificates.js';
import { waitFor } from './harness/command.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { openNames, type Names } from './harness/names.js';
import type { ServerAddress } from './harness/network.js';
import type { LabServer } from './harness/server.js';
import { proftpd13 } from './servers/proftpd.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { keys, place, questionAbout, questions } from './show/ground.js';
import { Talker } from './show/talker.js';
import { Talks } from './show/talks.js';

const content = 'what the server has';

let lab: Lab;
let names: Names;
let daemon: Daemon;
let person: Talker;
let talks: Talks;
let folder: string;
let issued = 0;
/** What the DNS says now. */
let zone: Readonly<Record<string, string>> = {};

before(async () => {
  lab = await openLab();
  names = await openNames(lab);
  folder = path.join(lab.folder, 'certificates');
  mkdirSync(folder, { recursive: true });
  const authority = await makeAuthority(folder);
  const config = [
    `[trust]\nstore = "file"\nprompt_timeout = "20s"\nca_bundle = "${authority}"`,
    '[[host]]\nmatch = "asked.lab.test"\ntrust = { ca_valid = "ask" }\n',
    '[[host]]\nmatch = "plain.lab.test"\nmode = "plain"\n',
  ];
  daemon = await startDaemon(lab, 'names', config.join('\n'), { wrap: names.inside });
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  talks = new Talks(person);
  await waitFor(
    () => `the monitor: ${daemon.log()}`,
    () => daemon.log().includes('info  listening to what'),
  );
});

afterEach(() => talks.hangUp());

after(async () => {
  await person.stop();
  await daemon.stop();
  await names.close();
  await lab.close();
});

async function say(more: Readonly<Record<string, string>>): Promise<void> {
  zone = { ...zone, ...more };
  await names.say(zone);
}

function certificateFor(...hosts: readonly string[]): Promise<Certificate> {
  issued += 1;
  return makeIssued(folder, `issued-${issued}`, hosts);
}

async function serve(
  certificate: Certificate,
  { kind = vsftpdTls, address }: { readonly kind?: typeof vsftpdTls; readonly address?: ServerAddress } = {},
): Promise<LabServer> {
  const server = await lab.server(kind, { certificate, ...(address === undefined ? {} : { address }) });
  place(server, 'hello.txt', Buffer.from(content));
  return server;
}

/** A program that was given a name or an address; what it got, or what it was told. */
async function fetch(host: string): Promise<string> {
  const code = `
import ftplib, sys
try:
    ftp = ftplib.FTP(sys.argv[1], timeout=40)
    ftp.login('${login.user}', '${login.password}')
    ftp.retrbinary('RETR hello.txt', lambda data: sys.stdout.write(data.decode()))
    ftp.quit()
except Exception as error: print('failed:', error)
`;
  return (await names.run(['python3', '-c', code, host])).stdout.trim();
}

async function pinsAt(server: LabServer) {
  const all = (await keys(daemon, clientUid)).keys;
  return all.filter((pin) => pin.address === server.address.ipv4);
}

async function askedAbout(server: LabServer) {
  const open = await questions(daemon, clientUid);
  return open.filter(({ connection }) => connection.server.address === server.address.ipv4);
}

/** Refuses what is asked about the server; returns why it was asked. */
async function refuseQuestion(server: LabServer): Promise<string> {
  const { id, why, concern } = await questionAbout(daemon, server.address.ipv4);
  assert.equal((await daemon.cli(['prompts', '--answer', id, 'refuse'], clientUid)).code, 0);
  return `${concern.kind}: ${why}`;
}

for (const kind of [vsftpdTls, proftpd13]) {
  test(`${kind.name}: a name that was looked up and an authority’s word let in without a question, through a renewal`, async () => {
    const name = `${kind.name}.lab.test`;
    const first = await serve(await certificateFor(name), { kind });
    await say({ [name]: first.address.ipv4 });
    assert.equal(await fetch(name), content);
    const [pin] = await pinsAt(first);
    assert.deepEqual([pin?.name, pin?.caValidFor], [name, name]);
    assert.equal(pin?.fingerprint, first.certificate.fingerprint);
    assert.match((await daemon.cli(['log'])).stdout, /key accepted.*caValid/);

    await first.stop();
    const renewed = await serve(await certificateFor(name), { kind, address: first.address });
    assert.equal(await fetch(name), content);
    assert.deepEqual(
      (await pinsAt(first)).map((one) => one.fingerprint),
      [renewed.certificate.fingerprint],
      'the old key is not good any more',
    );
    assert.deepEqual(await askedAbout(first), []);

    await renewed.stop();
    const other = await serve(await certificateFor('other.lab.test'), { kind, address: first.address });
    assert.match(await fetch(name), /421 ftpseal: .* changed its key/);
    await other.stop();
    await lab.server(kind, { address: first.address });
    assert.match(await fetch(name), /421 ftpseal: .* changed its key/);
    await refuseQuestion(first);
  });
}

test('by policy a person is asked all the same', async () => {
  const server = await serve(await certificateFor('asked.lab.test'));
  await say({ 'asked.lab.test': server.address.ipv4 });
  const got = fetch('asked.lab.test');
  assert.match(await refuseQuestion(server), /^vouched: .* for asked\.lab\.test/);
  assert.match(await got, /421 ftpseal/);
});

test('a middleman’s own name, looked up as well and vouched for, lets nobody in', async () => {
  const server = await serve(await certificateFor('evil.lab.test'));
  await say({ 'bank.lab.test': server.address.ipv4, 'evil.lab.test': server.address.ipv4 });
  await names.lookUp('bank.lab.test');
  await names.lookUp('evil.lab.test');
  const got = fetch(server.address.ipv4);
  assert.match(
    await refuseQuestion(server),
    /^new: .* for evil\.lab\.test, but the address also belongs to bank/,
  );
  assert.match(await got, /421 ftpseal/);
  const byName = fetch('bank.lab.test');
  assert.match(await refuseQuestion(server), /^new: /);
  assert.match(await byName, /421 ftpseal/);
});

// Not how it should be, but how it is: what the program wanted was never looked up, so nothing stands against the middleman's name.
test('a middleman’s own name that stands alone passes for a server that was never met and is called by its address', async () => {
  const server = await serve(await certificateFor('alone.lab.test'));
  await say({ 'alone.lab.test': server.address.ipv4 });
  await names.lookUp('alone.lab.test');
  assert.equal(await fetch(server.address.ipv4), content);
  const [pin] = await pinsAt(server);
  assert.deepEqual([pin?.name, pin?.caValidFor], ['alone.lab.test', 'alone.lab.test']);
  assert.deepEqual(await askedAbout(server), []);

  // One that was met keeps its own key against him.
  const met = await serve(await certificateFor('met.lab.test'));
  await daemon.json(['keys', 'add', met.address.ipv4, met.certificate.fingerprint], clientUid);
  await met.stop();
  const his = await serve(await certificateFor('alone.lab.test'), { address: met.address });
  await say({ 'alone.lab.test': met.address.ipv4 });
  await names.lookUp('alone.lab.test');
  assert.match(await fetch(his.address.ipv4), /421 ftpseal: .* changed its key/);
  await refuseQuestion(his);
});

test('a forged answer does not make a key good that is pinned for another server', async () => {
  const partner = await serve(await certificateFor('partner.lab.test'));
  const bank = await serve(await certificateFor('vault.lab.test'));
  await say({ 'partner.lab.test': partner.address.ipv4, 'vault.lab.test': bank.address.ipv4 });
  assert.equal(await fetch('partner.lab.test'), content);
  assert.equal(await fetch('vault.lab.test'), content);
  await bank.stop();
  const middle = await serve(partner.certificate, { address: bank.address });
  await say({ 'partner.lab.test': bank.address.ipv4 });
  for (const host of ['partner.lab.test', bank.address.ipv4, 'vault.lab.test'])
    assert.match(await fetch(host), /421 ftpseal: .* changed its key/, host);
  // The other way round: the name leads to somebody else, who has no certificate for it.
  await middle.stop();
  const stranger = await lab.server(vsftpdTls);
  await say({ 'vault.lab.test': stranger.address.ipv4 });
  assert.match(await fetch('vault.lab.test'), /421 ftpseal: vault\.lab\.test changed its key/);
});

test('a name that only the certificate claims is told to the person, and carries the renewal', async () => {
  const first = await serve(await certificateFor('solo.lab.test'));
  const elsewhere = await serve(await certificateFor('elsewhere.lab.test'));
  await names.restartResolver();
  await say({ 'solo.lab.test': first.address.ipv4, 'elsewhere.lab.test': first.address.ipv4 });
  const talk = await talks.open(elsewhere);
  const refused = talk.command(`USER ${login.user}`);
  assert.match(await refuseQuestion(elsewhere), /^new: This server is new: its key was never seen here/);
  assert.equal((await refused).code, 421);

  const asked = await talks.open(first);
  const reply = asked.command(`USER ${login.user}`);
  const question = await questionAbout(daemon, first.address.ipv4);
  assert.match(question.why, /for solo\.lab\.test, but it is not known whether/);
  assert.equal((await daemon.cli(['prompts', '--answer', question.id, 'trust'], clientUid)).code, 0);
  assert.equal((await reply).code, 331);
  await first.stop();
  await serve(await certificateFor('solo.lab.test'), { address: first.address });
  // The pinned name is enough: the DNS need not say it again.
  await say({ 'solo.lab.test': '192.0.2.1' });
  await talks.logIn(first);
});

test('the client’s own word (HOST) is a name like one that was looked up', async () => {
  const kind: typeof proftpd13 = {
    ...proftpd13,
    prepare: (site) => {
      const argv = proftpd13.prepare(site);
      const file = path.join(site.folder, 'proftpd.conf');
      const shared = readFileSync(file, 'utf8').split('\n');
      const own = shared.filter((line) => /^(TLS(?!Log)|Auth|Port|RequireValidShell)/.test(line));
      const host = [`<VirtualHost ${site.address}>`, 'ServerAlias host.lab.test', ...own, '</VirtualHost>'];
      appendFileSync(file, `${host.join('\n')}\n`);
      return argv;
    },
  };
  const server = await serve(await certificateFor('host.lab.test'), { kind });
  const talk = await talks.open(server);
  const host = await talk.command('HOST host.lab.test');
  assert.equal(host.code, 220, host.text);
  const { code } = await talk.command(`USER ${login.user}`);
  assert.equal(code, 331);
  assert.deepEqual(
    (await pinsAt(server)).map(({ name, caValidFor }) => [name, caValidFor]),
    [['host.lab.test', 'host.lab.test']],
  );
});

test('a forged answer takes no encryption from a server that had it, whatever a [[host]] of that name says', async () => {
  const server = await serve(await certificateFor('had.lab.test'));
  await say({ 'had.lab.test': server.address.ipv4, 'plain.lab.test': server.address.ipv4 });
  assert.equal(await fetch('had.lab.test'), content);
  await names.lookUp('plain.lab.test');
  // This server refuses logins in clear.
  await talks.logIn(server);
  assert.match(daemon.log(), /a \[\[host\]\] without encryption is not applied.*plain\.lab\.test/);
});

test('a systemd-resolved that was started anew is listened to again', async () => {
  const before = daemon.log().split('info  listening to what').length;
  await names.restartResolver();
  await waitFor(
    () => `the monitor: ${daemon.log().slice(-1000)}`,
    () => daemon.log().split('info  listening to what').length > before,
    30_000,
  );
  const server = await serve(await certificateFor('again.lab.test'));
  await say({ 'again.lab.test': server.address.ipv4 });
  assert.equal(await fetch('again.lab.test'), content);
});
