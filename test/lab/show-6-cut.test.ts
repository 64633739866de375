// Transfers that somebody on the way cuts off or takes over (the Show 6): the client must never hear that all is well.
// The third host routes between client and server, and everything between them passes through its hands.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { run } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { proftpd12, proftpdNoReuse } from './servers/proftpd.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { clientFolder, digest, place, readAt } from './show/ground.js';
import { FtpTalk, type Reply } from './show/ftp-talk.js';
import { Middle } from './show/middle.js';
import { Talker } from './show/talker.js';
import type { Place } from './show/tls-records.js';

const file = content(2_000_000, 5);
/** More than all sockets on the way can hold, so that it is still under way when it is cut. */
const uploaded = 30_000_000;

const places: readonly (readonly [string, Place])[] = [
  ['in the middle of a record', { kind: 'bytes', count: 777_777 }],
  ['at a record border', { kind: 'records', count: 60 }],
  ['right before close_notify', { kind: 'closing' }],
];

let lab: Lab;
let daemon: Daemon;
let middle: Middle;
let person: Talker;
let strict: LabServer;
let lax: LabServer;
let old: LabServer;

before(async () => {
  lab = await openLab({ third: true });
  strict = await lab.server(vsftpdTls);
  lax = await lab.server(proftpdNoReuse);
  old = await lab.server(proftpd12);
  for (const server of [strict, lax, old]) place(server, 'file.bin', file);
  daemon = await startDaemon(lab, 'show-6', acceptNew);
  middle = await Middle.start(lab.network.mitm ?? '');
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
});

after(async () => {
  await person.stop();
  await middle.stop();
  await daemon.stop();
  await lab.close();
});

beforeEach(() => middle.plan({}));

async function works(server: LabServer): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person, server.address.ipv4);
  await talk.login();
  return talk;
}

function brokenOff(reply: Reply, where: string): void {
  assert.ok(reply.code === 426 || reply.code === 451, `${where}: ${reply.code} ${reply.text}`);
}

/** The session has survived, and its transfers still work. */
async function goesOn(talk: FtpTalk): Promise<void> {
  await middle.plan({});
  const fetched = await talk.fetch('EPSV', 'RETR file.bin');
  assert.equal(fetched.final.code, 226, fetched.final.text);
  assert.equal(fetched.sha256, digest(file));
  await talk.expect(221, 'QUIT');
}

async function store(talk: FtpTalk, name: string): Promise<{ readonly end: string; readonly final: Reply }> {
  const data = await talk.passive('EPSV');
  await talk.expect(150, `STOR ${name}`);
  const end = await person.upload(data.connection, uploaded);
  return { end, final: await talk.reply(60) };
}

for (const [name, at] of places) {
  for (const how of ['FIN', 'RST'] as const) {
    test(`a download cut by ${how} ${name}`, async () => {
      for (const server of [strict, lax, old]) {
        const talk = await works(server);
        for (const form of ['EPSV', 'PORT'] as const) {
          await middle.plan({ data: { kind: 'cut', stream: 'download', how, at } });
          const fetched = await talk.fetch(form, 'RETR file.bin');
          const where = `${server.kind.name} ${form}`;
          brokenOff(fetched.final, where);
          assert.match(fetched.final.text, /ftpseal/, `${where}: the server itself was content`);
          assert.equal(fetched.end, 'reset', `${where}: the client’s own data connection breaks too`);
        }
        await goesOn(talk);
      }
    });
  }
}

for (const how of ['FIN', 'RST'] as const) {
  test(`a listing cut by ${how} right before close_notify (T36)`, async () => {
    for (const server of [strict, lax, old]) {
      const talk = await works(server);
      await middle.plan({ data: { kind: 'cut', stream: 'download', how, at: { kind: 'closing' } } });
      brokenOff((await talk.fetch('EPSV', 'LIST')).final, server.kind.name);
      await goesOn(talk);
    }
  });

  for (const [name, at] of places.slice(0, 2)) {
    test(`an upload cut by ${how} ${name}, while the server hears that this is all`, async () => {
      for (const server of [strict, lax, old]) {
        const talk = await works(server);
        await middle.plan({ data: { kind: 'cut', stream: 'upload', how, at } });
        const { end, final } = await store(talk, 'cut.bin');
        brokenOff(final, server.kind.name);
        assert.notEqual(end, 'eof', `${server.kind.name}: the client’s own data connection breaks too`);
        assert.ok(readAt(server, 'cut.bin').length < uploaded);
        // OpenSSL forgets a TLS 1.2 session that ended so, and ProFTPD then refuses its data connections for good.
        if (server === old) await talk.hangUp();
        else await goesOn(talk);
      }
    });
  }
}

test('an upload whose end was swallowed, while both sides hear that all is well', async () => {
  // Only the server can notice; ours do, because ftpseal ends every upload with a close_notify that is now missing.
  const talk = await works(strict);
  await middle.plan({ data: { kind: 'swallowEnd', at: { kind: 'records', count: 60 } } });
  const { final } = await store(talk, 'swallowed.bin');
  brokenOff(final, 'vsftpd');
  await goesOn(talk);
});

test('curl takes a cut download for a failure (T36)', async () => {
  const folder = clientFolder(lab, 'cut');
  await middle.plan({
    data: { kind: 'cut', stream: 'download', how: 'FIN', at: { kind: 'records', count: 60 } },
  });
  const url = `ftp://${strict.address.ipv4}/file.bin`;
  const argv = ['curl', '-sS', '--max-time', '30', '--user', `${login.user}:${login.password}`];
  const place = { namespace: lab.network.pc, uid: clientUid, cwd: folder };
  const finished = await run(place, [...argv, '--output', 'got.bin', url]);
  assert.ok([18, 56].includes(finished.code), `${finished.code} ${finished.stderr}`);
});
