// Peers that are gone without a word: clients killed in the middle of something, a server that dies. Each session ends, and
// nothing of it is left.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { z } from 'zod';
import { openQuestionSchema, statusSchema } from '../../shared/ipc-messages.js';
import { login } from './harness/account.js';
import { must, waitFor } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import { openDescriptors } from './harness/proc.js';
import type { LabServer } from './harness/server.js';
import { bigFile, bigSize, layVictims, longPause, Victims } from './harness/victims.js';
import { vsftpdTls } from './servers/vsftpd.js';

let lab: Lab;
let server: LabServer;
let asked: LabServer;
let daemon: Daemon;
let proxy: number;
let atRest: number;

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  asked = await lab.server(vsftpdTls);
  layVictims(lab, server);
  const question = `[[host]]\nmatch = "${asked.address.ipv4}"\n[host.trust]\nunknown = "ask"\nprompt_timeout = "2m"\n`;
  daemon = await startDaemon(lab, 'peers', `${acceptNew}${question}`);
  proxy = (await status()).pid;
  const first = victimsOf(server);
  await first.logIn('first');
  await first.agent.kill();
  await nobodyLeft();
  atRest = openDescriptors(proxy);
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

async function status() {
  return statusSchema.parse(await daemon.json(['status']));
}

const all: Victims[] = [];

function victimsOf(one: LabServer): Victims {
  const victims = new Victims(lab, one);
  all.push(victims);
  return victims;
}

afterEach(async () => {
  for (const victims of all.splice(0)) await victims.agent.kill();
});

async function nobodyLeft(): Promise<void> {
  await waitFor('the end of all sessions', async () => (await status()).sessions.total === 0, 60_000);
}

/** Sockets may linger for a quarter of a minute for their peers. */
async function nothingLeft(): Promise<void> {
  await nobodyLeft();
  const leaked = (): number => openDescriptors(proxy) - atRest;
  await waitFor(
    () => `${leaked()} descriptors more than at rest`,
    () => leaked() <= 2,
    60_000,
  );
}

async function startUpload(victims: Victims, name: string): Promise<void> {
  const file = path.join(lab.folder, `${name}.local`);
  writeFileSync(file, content(bigSize, 3));
  await victims.logIn(name);
  const upload = { op: 'start', name, command: `STOR ${name}.bin`, path: file, pause: longPause } as const;
  assert.match(await victims.agent.reply(upload), /^150/);
  await victims.moves(name);
}

test('a client killed in the middle of a download', async () => {
  const victims = victimsOf(server);
  await victims.download('download', longPause);
  assert.equal((await status()).sessions.secured, 1);
  await victims.agent.kill();
  await nothingLeft();
  await waitFor(
    () => `the server to know: ${server.log()}`,
    () => server.log().includes('FAIL DOWNLOAD'),
  );
});

test('a client killed in the middle of an upload: the server has the part that came, as without ftpseal', async () => {
  const victims = victimsOf(server);
  await startUpload(victims, 'upload');
  await victims.agent.kill();
  await nothingLeft();
  // The kernel ends a dead program's connection as a living one would end its file: nobody can tell, with or without TLS.
  await waitFor('the server to know', () => /(?:OK|FAIL) UPLOAD/.test(server.log()));
  const part = readFileSync(path.join(server.home, 'upload.bin'));
  assert.ok(part.length < bigSize);
  assert.ok(part.equals(content(bigSize, 3).subarray(0, part.length)));
});

test('a client killed while a person is asked about the key: the question stays, nothing was sent', async () => {
  const victims = victimsOf(asked);
  const open = victims.agent.ask({
    op: 'open',
    name: 'waiting',
    host: asked.address.ipv4,
    login: [login.user, login.password],
  });
  await waitFor('the question', async () => (await questions()).some((question) => question.waiting === 1));
  await victims.agent.kill();
  await assert.rejects(open);
  await nothingLeft();
  assert.deepEqual(
    (await questions()).map((question) => question.waiting),
    [0],
  );
  assert.doesNotMatch(asked.log(), /USER/);
});

async function questions() {
  const { questions: open } = z
    .object({ questions: openQuestionSchema.array() })
    .parse(await daemon.json(['prompts']));
  return open;
}

test('kill -9 of the server’s side: downloads and uploads end in 4yz or without a reply, never in 226', async () => {
  const before = new Set(await serverProcesses());
  const victims = victimsOf(server);
  await victims.logIn('idle');
  await victims.download('download', longPause);
  await startUpload(victims, 'upload');
  const sessions = (await serverProcesses()).filter((pid) => !before.has(pid));
  assert.ok(sessions.length >= 3, 'the server’s processes');
  for (const pid of sessions) process.kill(pid, 'SIGKILL');
  for (const name of ['download', 'upload']) {
    const { bytes = 0, replies } = await victims.agent.ask({ op: 'finish', name });
    assert.match(String(replies?.[0]), /^(?:4\d\d |closed|reset)/, name);
    assert.ok(bytes < bigSize, name);
  }
  assert.match(
    await victims.agent.reply({ op: 'say', name: 'idle', text: 'NOOP' }),
    /^(?:421 |closed|reset)/,
  );
  await nothingLeft();
  await victims.agent.kill();
});

async function serverProcesses(): Promise<readonly number[]> {
  const pids = await must({}, ['ip', 'netns', 'pids', lab.network.srv]);
  return pids.trim().split('\n').map(Number);
}

test('and the others never noticed', async () => {
  const victims = victimsOf(server);
  await victims.download('last');
  await victims.agent.ask({ op: 'hurry', name: 'last' });
  const { bytes, replies } = await victims.agent.ask({ op: 'finish', name: 'last' });
  assert.equal(bytes, bigSize, bigFile);
  assert.match(String(replies?.[0]), /^226 /);
  await victims.agent.kill();
  await nothingLeft();
  assert.deepEqual((await status()).warnings, []);
});
