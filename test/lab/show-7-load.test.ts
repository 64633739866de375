// Many at once (the issue's Show 7, first half): 500 idle sessions, then eight mirrors in parallel through two workers;
// what they need of memory is printed, and nothing of them is left afterwards.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { sessionViewSchema, statusSchema, type Status } from '../../shared/ipc-messages.js';
import { clientUid, login, serverUid } from './harness/account.js';
import { run, waitFor } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, readIfThere } from './harness/payload.js';
import { openDescriptors, proportionalMemory } from './harness/proc.js';
import type { LabServer } from './harness/server.js';
import { SessionAgent } from './harness/session-agent.js';
import { vsftpdTls } from './servers/vsftpd.js';

const mirrors = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const smallFiles = 200;
const largeFiles = 3;
const largeSize = 4_000_000;
const idleSessions = 500;
const sane = 1024 ** 3;

let lab: Lab;
let server: LabServer;
let daemon: Daemon;
let proxy: number;
const atRest = { descriptors: 0, memory: 0 };

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  daemon = await startDaemon(lab, 'load', `${acceptNew}[divert]\nworkers = 2\n`);
  proxy = (await status()).pid;
  // The first session settles the server's key, so that later ones all go the same way.
  const agent = new SessionAgent(lab);
  await agent.ask({
    op: 'open',
    name: 'first',
    host: server.address.ipv4,
    login: [login.user, login.password],
  });
  await agent.kill();
  await everybodyGone();
  atRest.descriptors = openDescriptors(proxy);
  atRest.memory = proportionalMemory(proxy);
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

async function status(): Promise<Status> {
  return statusSchema.parse(await daemon.json(['status']));
}

async function everybodyGone(): Promise<void> {
  await waitFor('the end of all sessions', async () => (await status()).sessions.total === 0, 60_000);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
}

/** The files of one mirror; every mirror has its own bytes. */
function filesOf(mirror: number): readonly (readonly [string, Buffer])[] {
  const small = Array.from({ length: smallFiles }, (_, index) => {
    const bytes = content(1500 + index * 7, mirror);
    bytes.write(`mirror ${mirror} file ${index}`, 100);
    return [`small-${index}`, bytes] as const;
  });
  const large = Array.from({ length: largeFiles }, (_, index) => {
    return [`large-${index}`, content(largeSize + index, mirror * 10 + index)] as const;
  });
  return [...small, ...large];
}

function lay(folder: string, owner: number, files: readonly (readonly [string, Buffer])[]): void {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, owner, owner);
  for (const [name, bytes] of files) {
    writeFileSync(path.join(folder, name), bytes);
    chownSync(path.join(folder, name), owner, owner);
  }
}

function wrongOnes(folder: string, files: readonly (readonly [string, Buffer])[]): readonly string[] {
  return files.flatMap(([name, bytes]) => {
    const found = readIfThere(path.join(folder, name));
    return found?.equals(bytes) === true ? [] : [`${folder}/${name}: ${found?.length ?? 'missing'}`];
  });
}

function mirrorScript(mirror: number): string {
  const settings = [
    'set ftp:ssl-allow no',
    'set ftp:use-mlsd no',
    'set net:max-retries 1',
    'set cmd:fail-exit yes',
  ];
  return [
    ...settings,
    `open -u ${login.user},${login.password} ftp://${server.address.ipv4}`,
    `mirror down-${mirror} ${path.join(lab.folder, `local-${mirror}/down`)}`,
    `mirror -R ${path.join(lab.folder, `local-${mirror}/up`)} up-${mirror}`,
    'bye',
    '',
  ].join('\n');
}

async function runMirror(mirror: number): Promise<void> {
  const local = path.join(lab.folder, `local-${mirror}`);
  const place = { namespace: lab.network.pc, uid: clientUid, cwd: local, env: { HOME: local } };
  const finished = await run(place, ['lftp'], { input: mirrorScript(mirror), timeoutMs: 180_000 });
  assert.equal(finished.code, 0, `mirror ${mirror}: ${finished.stderr}${finished.stdout}`);
}

test('500 idle sessions are open at once, and all of them answer (T54)', async (t) => {
  const agent = new SessionAgent(lab);
  const opened = await agent.ask({
    op: 'open',
    name: 'idle',
    host: server.address.ipv4,
    login: [login.user, login.password],
    count: idleSessions,
  });
  const logins = new Set(opened.replies);
  assert.deepEqual([...logins], ['230 Login successful.']);
  const now = await status();
  assert.equal(now.sessions.secured, idleSessions);
  const memory = proportionalMemory(proxy);
  const shares = now.workers.map((worker) => worker.sessions);
  t.diagnostic(`sessions of the workers: ${shares.join(' and ')}`);
  t.diagnostic(
    `memory of the proxy (PSS): ${mebibytes(atRest.memory)} before, ${mebibytes(memory)} with ${idleSessions} sessions, ` +
      `${((memory - atRest.memory) / idleSessions / 1024).toFixed(0)} KiB each`,
  );
  assert.equal(shares.length, 2);
  assert.ok(shares.every((share) => share > idleSessions / 4));
  assert.ok(memory < sane);
  const { replies = [] } = await agent.ask({ op: 'say', name: 'idle', text: 'NOOP' });
  assert.equal(replies.length, idleSessions);
  assert.deepEqual([...new Set(replies)], ['200 NOOP ok.']);
  await agent.ask({ op: 'close', name: 'idle' });
  await agent.kill();
});

test('8 clients mirror in parallel through 2 workers, both ways, every byte right', async (t) => {
  await everybodyGone();
  for (const mirror of mirrors) {
    lay(path.join(server.home, `down-${mirror}`), serverUid, filesOf(mirror));
    lay(path.join(lab.folder, `local-${mirror}`), clientUid, []);
    lay(path.join(lab.folder, `local-${mirror}/up`), clientUid, filesOf(mirror + 100));
  }
  const seen = { workers: new Map<string, Set<string>>(), most: 0, memory: 0 };
  const watching = new AbortController();
  const watcher = watch(seen, watching.signal);
  await Promise.all(mirrors.map(runMirror));
  watching.abort();
  await watcher;
  const wrong = mirrors.flatMap((mirror) => [
    ...wrongOnes(path.join(lab.folder, `local-${mirror}/down`), filesOf(mirror)),
    ...wrongOnes(path.join(server.home, `up-${mirror}`), filesOf(mirror + 100)),
  ]);
  assert.deepEqual(wrong, []);
  const counts = [...seen.workers].map(([worker, ids]) => `worker ${worker}: ${ids.size} sessions`);
  t.diagnostic(`${counts.join(', ')}; at most ${seen.most} at once`);
  t.diagnostic(
    `memory of the proxy (PSS): at rest ${mebibytes(atRest.memory)}, most ${mebibytes(seen.memory)}`,
  );
  assert.equal(seen.workers.size, 2, 'both workers have carried sessions');
  assert.ok([...seen.workers.values()].every((ids) => ids.size >= mirrors.length / 4));
  assert.ok(seen.memory < sane);
});

/** Notes until the signal which worker carries which session, and what the proxy needs. A session's id names its worker. */
async function watch(
  seen: { readonly workers: Map<string, Set<string>>; most: number; memory: number },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { sessions } = z
      .object({ sessions: sessionViewSchema.array() })
      .parse(await daemon.json(['sessions']));
    for (const { state } of sessions) {
      const worker = state.id.split('-')[0] ?? '';
      const ids = seen.workers.get(worker) ?? new Set();
      seen.workers.set(worker, ids.add(state.id));
    }
    seen.most = Math.max(seen.most, sessions.length);
    seen.memory = Math.max(seen.memory, proportionalMemory(proxy));
  }
}

test('after the last client has left nothing is left of it (T54)', async (t) => {
  await everybodyGone();
  // Sockets that linger for their peers are given up within 15 s.
  const leaked = (): number => openDescriptors(proxy) - atRest.descriptors;
  await waitFor(
    () => `${leaked()} descriptors more than before`,
    () => leaked() <= 4,
    60_000,
  );
  t.diagnostic(`descriptors: ${atRest.descriptors} before, ${openDescriptors(proxy)} after`);
  const { sessions, questions, warnings, workers } = await status();
  assert.deepEqual(sessions, { total: 0, secured: 0, cleartext: 0, other: 0 });
  assert.equal(questions, 0);
  assert.deepEqual(warnings, []);
  assert.deepEqual(
    workers.map(({ alive, restarts }) => ({ alive, restarts })),
    [
      { alive: true, restarts: 0 },
      { alive: true, restarts: 0 },
    ],
  );
  const shown = await daemon.cli(['status']);
  assert.equal(shown.code, 0);
  assert.match(shown.stdout, /^Workers {4}2 of 2 running$/m);
  assert.match(shown.stdout, /^Sessions {3}none$/m);
  assert.doesNotMatch(shown.stdout, /Warning/);
  const log = readFileSync(path.join(daemon.folder, 'state/log/ftpseal.log'), 'utf8');
  assert.doesNotMatch(log, /"level":"(?:warn|error)"/);
});
