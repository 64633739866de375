// A person pauses ftpseal: their new connections pass untouched, other users' do not, and afterwards all is as before.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { capture } from './harness/capture.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { vsftpd } from './servers/vsftpd.js';
import { digest, otherUid, place, sessions, status } from './show/ground.js';
import { FtpTalk } from './show/ftp-talk.js';
import { Talker } from './show/talker.js';

const file = content(100_000, 4);
// Passive ports beside those that ftpseal keeps for sessions that it secures.
const passive = ['pasv_min_port=40000', 'pasv_max_port=49999'];
const optional = ['force_local_logins_ssl=NO', 'force_local_data_ssl=NO', ...passive];

let lab: Lab;
let daemon: Daemon;
let server: LabServer;
let strict: LabServer;
const people: Talker[] = [];

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpd('vsftpd-optional', 'TLS offered', true, optional));
  strict = await lab.server(vsftpd('vsftpd-strict', 'TLS offered', true, optional));
  place(server, 'file.bin', file);
  const host = `[[host]]\nmatch = "${strict.address.ipv4}"\nfallback = { cleartext = "refuse" }\n`;
  daemon = await startDaemon(lab, 'pause', `[trust]\nunknown = "accept-new"\nstore = "file"\n${host}`);
});

afterEach(async () => {
  for (const person of people.splice(0)) await person.stop();
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

async function loggedIn(uid: number, at = server): Promise<FtpTalk> {
  const person = new Talker({ namespace: lab.network.pc, uid });
  people.push(person);
  const talk = await FtpTalk.open(person, at.address.ipv4);
  await talk.login();
  return talk;
}

async function protections(uid: number): Promise<readonly string[]> {
  return (await sessions(daemon, uid)).map(({ state }) => state.protection);
}

test('while paused the traffic is relayed as it is, for this user alone; then it is encrypted again', async () => {
  await loggedIn(clientUid);
  assert.deepEqual(await protections(clientUid), ['secured']);
  const wire = await capture(lab.network.srv, path.join(lab.folder, 'pause.pcap'), [server.address.ipv4]);
  assert.equal((await daemon.cli(['pause', '--minutes', '5'], clientUid)).code, 0);

  const shown = await status(daemon, clientUid);
  assert.ok((shown.pausedUntil ?? 0) > Date.now());
  assert.match(shown.warnings.join('\n'), /Paused by you for 5 more min/);
  assert.equal((await status(daemon, otherUid)).pausedUntil, undefined);

  const talk = await loggedIn(clientUid);
  const fetched = await talk.fetch('PASV', 'RETR file.bin');
  assert.equal(fetched.sha256, digest(file));
  assert.deepEqual((await protections(clientUid)).toSorted(), ['secured', 'tunnelled']);
  const relayed = (await sessions(daemon, clientUid)).find(({ state }) => state.protection === 'tunnelled');
  assert.match(relayed?.state.warning ?? '', /paused/);
  await loggedIn(otherUid);
  assert.deepEqual(await protections(otherUid), ['secured'], 'another user is not paused');
  await loggedIn(clientUid, strict);
  assert.deepEqual(
    (await protections(clientUid)).toSorted(),
    ['secured', 'secured', 'tunnelled'],
    'what the administrator wants encrypted stays so',
  );
  const { sightings } = await wire.finish([
    { name: 'password', bytes: Buffer.from(login.password) },
    { name: 'file', bytes: marker },
  ]);
  assert.equal(sightings.get('password')?.length, 1, 'the paused session’s password, and no other');
  assert.ok((sightings.get('file')?.length ?? 0) > 0);

  assert.equal((await daemon.cli(['resume'], clientUid)).code, 0);
  const again = await capture(lab.network.srv, path.join(lab.folder, 'resumed.pcap'), [server.address.ipv4]);
  await loggedIn(clientUid);
  assert.equal((await protections(clientUid)).filter((one) => one === 'secured').length, 3);
  assert.equal((await status(daemon, clientUid)).pausedUntil, undefined);
  const after = await again.finish([{ name: 'password', bytes: Buffer.from(login.password) }]);
  assert.deepEqual(after.sightings.get('password') ?? [], []);
});
