// X-SafeTP1 with somebody in between, from a program that knows nothing of it to a server that knows nothing of it: AUTH stripped,
// the weaker mechanism forced, a line put in, data cut; and what a large file costs in memory.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { clientUid } from './harness/account.js';
import { waitFor } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import { proportionalMemory } from './harness/proc.js';
import { startBackend, startServe, type Serve } from './harness/serve.js';
import type { LabServer } from './harness/server.js';
import { vsftpdPlain } from './servers/vsftpd.js';
import { digest, keys, place, sessions } from './show/ground.js';
import { FtpTalk } from './show/ftp-talk.js';
import { Middle } from './show/middle.js';
import type { Plan } from './show/middle-plan.js';
import { Talker } from './show/talker.js';

const file = content(500_000, 6);
const large = content(20_000_000, 7);
/** What was not collected yet counts here too; that nothing piles up behind a slow side is in test/daemon/serve/safetp-data. */
const COST_MAX = 45e6;

let lab: Lab;
let daemon: Daemon;
let middle: Middle;
let person: Talker;
let backend: LabServer;
/** X-SafeTP1 alone; with TLS in front of it; and one that nobody knows yet. */
let only: Serve;
let both: Serve;
let unknown: Serve;

before(async () => {
  lab = await openLab({ third: true });
  backend = await startBackend(lab, vsftpdPlain);
  place(backend, 'file.bin', file);
  place(backend, 'large.bin', large);
  const safetp = 'safetp_key = "safetp.pem"';
  const at = `${backend.address.ipv4}:21`;
  only = await startServe(lab, 'only', at, [safetp, 'mechanisms = ["X-SafeTP1"]', 'require = "secure-data"']);
  both = await startServe(lab, 'both', at, [safetp]);
  unknown = await startServe(lab, 'unknown', at, [safetp]);
  daemon = await startDaemon(lab, 'show-5s', `${acceptNew}[fallback]\ncleartext = "warn"\n`);
  middle = await Middle.start(lab.network.mitm ?? '');
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  await (await works(only)).hangUp();
  await (await works(both)).hangUp();
});

beforeEach(() => middle.plan({}));

after(async () => {
  await person.stop();
  await middle.stop();
  await daemon.stop();
  for (const serve of [only, both, unknown]) await serve.stop();
  await lab.close();
});

async function works(serve: Serve): Promise<FtpTalk> {
  const talk = await FtpTalk.open(person, serve.address.ipv4);
  await talk.login();
  return talk;
}

/** USER is refused in one line, with the end behind it, and did not get to the backend. */
async function refused(serve: Serve): Promise<string> {
  const talk = await FtpTalk.open(person, serve.address.ipv4);
  const reply = await talk.command('USER stolen-name', 60);
  assert.equal(reply.code, 421, reply.text);
  assert.equal(reply.text.includes('\n'), false, 'one line');
  assert.doesNotMatch(backend.log(), /stolen-name/);
  await talk.hangUp();
  return reply.text;
}

test('the stronger mechanism goes first, and each server’s key is kept with its mechanism', async () => {
  const { keys: pinned } = await keys(daemon, clientUid);
  const mechanismAt = (serve: Serve): readonly string[] =>
    pinned.filter(({ address }) => address === serve.address.ipv4).map(({ mechanism }) => mechanism);
  assert.deepEqual(mechanismAt(only), ['X-SafeTP1']);
  assert.deepEqual(mechanismAt(both), ['TLS']);
  const talk = await works(only);
  const shown = (await sessions(daemon, clientUid)).map(({ state }) => state.protection);
  assert.deepEqual(shown, ['secured']);
  await talk.hangUp();
});

const strippings: readonly (readonly [string, Plan['control']])[] = [
  ['garbled', { kind: 'garbleAuth' }],
  ['answered with 500', { kind: 'answerAuth', text: '500 What?\r\n', then: '500 What?\r\n' }],
  [
    'answered with a LIST',
    { kind: 'answerAuth', text: '504 No. LIST=NONE\r\n', then: '504 No. LIST=NONE\r\n' },
  ],
  ['ended at', { kind: 'hangUpOnAuth' }],
];

for (const [how, control] of strippings)
  test(`AUTH ${how}: refused for a server whose key is known`, async () => {
    await middle.plan({ control });
    await refused(only);
    await middle.plan({});
    await (await works(only)).hangUp();
  });

test('the weaker mechanism is not tried where the stronger one worked', async () => {
  await middle.plan({ control: { kind: 'refuseTls', text: '504 Unknown. LIST=X-SafeTP1\r\n' } });
  assert.match(await refused(both), /was encrypted before/);
  const log = both.log();
  assert.equal(log.includes('X-SafeTP1 (legacy)" '), false);
});

for (const text of ['504 Unknown. LIST=X-SafeTP1\r\n', '502 What?\r\n'])
  test(`the weaker mechanism forced on a server that nobody knows (${text.trim()}): DIGT catches it`, async () => {
    await middle.plan({ control: { kind: 'refuseTls', text } });
    assert.match(await refused(unknown), /somebody may be in between/);
    // It got as far as that: the lines were protected, and the first of them told.
    assert.match(unknown.log(), /encrypted .*X-SafeTP1/);
  });

test('a cut file is never a whole one, either way', async () => {
  const talk = await works(only);
  const at = { kind: 'bytes', count: 100_000 } as const;
  for (const how of ['FIN', 'RST'] as const) {
    await middle.plan({ data: { kind: 'cut', stream: 'download', how, at } });
    const fetched = await talk.fetch('EPSV', 'RETR file.bin');
    assert.ok(fetched.final.code >= 400, fetched.final.text);
    assert.notEqual(fetched.sha256, digest(file));
    await middle.plan({ data: { kind: 'cut', stream: 'upload', how, at } });
    const data = await talk.passive('EPSV');
    await talk.expect(150, 'STOR cut.bin');
    await person.upload(data.connection, 500_000);
    const stored = await talk.reply(60);
    assert.ok(stored.code >= 400, stored.text);
    await person.close(data.connection).catch(() => undefined);
  }
  await middle.plan({});
  assert.equal((await talk.fetch('EPSV', 'RETR file.bin')).final.code, 226, 'the session goes on');
  await talk.hangUp();
});

test('somebody who is at the data port first gets nothing to read', async () => {
  const talk = await works(only);
  await middle.plan({ data: { kind: 'steal', tls: false } });
  const from = middle.reports().length;
  const fetched = await talk.fetch('EPSV', 'RETR file.bin');
  // The one who came later takes the place of the one before; whoever that is, the thief reads nothing.
  assert.ok(fetched.final.code >= 400 || fetched.sha256 === digest(file), fetched.final.text);
  await waitFor('the thief’s connection to end', () => middle.texts(from).length > 0);
  assert.equal(
    middle
      .texts(from)
      .join('')
      .includes(file.toString('latin1', 1000, 1032)),
    false,
  );
  await middle.plan({});
  assert.equal((await talk.fetch('EPSV', 'RETR file.bin')).final.code, 226);
  await talk.hangUp();
});

test('20 MB both ways in bounded memory at the server proxy', async (t) => {
  const talk = await works(only);
  assert.equal((await talk.fetch('EPSV', 'RETR file.bin')).final.code, 226);
  const { pid } = only.running;
  const idle = proportionalMemory(pid);
  const peak = { bytes: idle };
  const watch = setInterval(() => {
    peak.bytes = Math.max(peak.bytes, proportionalMemory(pid));
  }, 20);
  t.after(() => {
    clearInterval(watch);
  });
  const began = Date.now();
  const fetched = await talk.fetch('EPSV', 'RETR large.bin');
  assert.equal(fetched.final.code, 226, fetched.final.text);
  assert.equal(fetched.sha256, digest(large));
  const half = Date.now();
  const data = await talk.passive('EPSV');
  await talk.expect(150, 'STOR large.up');
  await person.upload(data.connection, 20_000_000);
  await person.close(data.connection).catch(() => undefined);
  const stored = await talk.reply(60);
  assert.equal(stored.code, 226, stored.text);
  const cost = peak.bytes - idle;
  const rate = (from: number, to: number): string => (20_000 / (to - from)).toFixed(1);
  t.diagnostic(
    `at most ${(cost / 1e6).toFixed(1)} MB more; ${rate(began, half)} MB/s down, ${rate(half, Date.now())} MB/s up`,
  );
  assert.ok(cost < COST_MAX, `${cost} bytes`);
  await talk.hangUp();
});

test('a forged agreement to TLS: refused, and the weaker mechanism is not tried again while the daemon runs', async () => {
  await middle.plan({ control: { kind: 'answerAuth', text: '234 Go on.\r\n', then: '331 Word?\r\n' } });
  await refused(only);
  await middle.plan({});
  assert.match(await refused(only), /was encrypted before/);
});

test('the middle never heard anybody log in', () => {
  assert.deepEqual(
    middle.reports().filter(({ kind }) => kind === 'heard'),
    [],
  );
});
