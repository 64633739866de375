// What dies under whom (the Show 7, second half): a worker, the proxy, the supervisor, while a download runs and sessions
// are idle. docs/failures.md says in words what is asserted here.
//
// A worker is a thread: no signal can end it alone, the kernel gives a signal's end to the whole process. What ends one in
// the field is an uncaught exception, so that is what the lab provokes: the daemon runs from a copy of the program in which
// the worker's entry has one line more, a timer that throws when the test touches a file. Everything else is the program.
import assert from 'node:assert/strict';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { z } from 'zod';
import { sessionViewSchema, statusSchema, type Status } from '../../shared/ipc-messages.js';
import { capture, type Capture } from './harness/capture.js';
import { must, run, start, waitFor, type Finished } from './harness/command.js';
import { acceptNew, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, sha256 } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { stage } from './harness/stage.js';
import { portOf227, startThief } from './harness/thief.js';
import { bigFile, bigSize, layVictims, secrets, Victims, type Fate } from './harness/victims.js';
import { vsftpdTls } from './servers/vsftpd.js';

type OnFailure = 'open' | 'closed';

let lab: Lab;
let server: LabServer;
let mortal: string;
let foreign: string;
let wire: Capture;
let victims: Victims;
let daemon: Daemon;
let count = 0;

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  layVictims(lab, server);
  mortal = await stageMortal();
  const table =
    'table inet other { chain out { type filter hook output priority 5; tcp dport 21 accept; }; }';
  await must({ namespace: lab.network.pc }, ['nft', '-f', '-'], table);
  foreign = await ruleset();
});

after(() => lab.close());

beforeEach(async () => {
  count += 1;
  const addresses = [server.address.ipv4, server.address.ipv6];
  wire = await capture(lab.network.srv, path.join(lab.folder, `${count}.pcap`), addresses);
  victims = new Victims(lab, server);
});

afterEach(async () => {
  await daemon.stop();
  await victims.agent.kill();
  assert.equal(await ruleset(), foreign, 'the tables of others are as they were, and there is none of ours');
  const { sightings } = await wire.finish(secrets);
  const seen = [...sightings].filter(([, places]) => places.length > 0);
  assert.deepEqual(seen, [], 'read on the wire');
});

/** A copy of the program whose workers die of a file's touch. */
async function stageMortal(): Promise<string> {
  const program = path.join(lab.folder, 'mortal');
  await stage(program);
  const pool = path.join(program, 'dist/daemon/pool');
  renameSync(path.join(pool, 'worker.js'), path.join(pool, 'worker-itself.js'));
  const fuse = JSON.stringify(path.join(lab.folder, 'fuse-'));
  const lines = [
    "import { statSync } from 'node:fs';",
    "import { workerData } from 'node:worker_threads';",
    'const born = Date.now();',
    'setInterval(() => {',
    `  const lit = statSync(${fuse} + workerData.data.index, { throwIfNoEntry: false });`,
    "  if (lit !== undefined && lit.mtimeMs > born) throw new Error('the test lit the fuse');",
    '}, 10);',
    "await import('./worker-itself.js');",
    '',
  ];
  writeFileSync(path.join(pool, 'worker.js'), lines.join('\n'));
  return program;
}

function cleanup(): Promise<Finished> {
  const main = path.join(daemon.program, 'dist/daemon/main.js');
  return run({ namespace: lab.network.pc }, [process.execPath, main, 'cleanup']);
}

function ruleset(): Promise<string> {
  return must({ namespace: lab.network.pc }, ['nft', 'list', 'ruleset']);
}

async function launch(onFailure: OnFailure, options: { readonly program?: string } = {}): Promise<void> {
  const config = `${acceptNew}[divert]\nworkers = 2\non_failure = "${onFailure}"\n`;
  daemon = await startDaemon(lab, `${count}`, config, options);
}

async function status(): Promise<Status> {
  return statusSchema.parse(await daemon.json(['status']));
}

async function isReady(): Promise<boolean> {
  const { code, stdout } = await daemon.cli(['status', '--json']);
  if (code !== 0) return false;
  const now = statusSchema.parse(JSON.parse(stdout));
  return now.redirect.kind === 'active' && now.workers.every((worker) => worker.alive);
}

async function gone(pid: number): Promise<void> {
  await waitFor(`the end of process ${pid}`, () => !existsSync(`/proc/${pid}`));
}

/** The victims' sessions are over, and none was told that its file is whole. */
async function assertAllCut(): Promise<void> {
  for (const name of ['greeted', 'idle']) {
    const reply = await victims.agent.reply({ op: 'say', name, text: 'NOOP' });
    assert.match(reply, /^(?:closed|reset)$/, name);
  }
  const { bytes = 0, data, replies } = await victims.agent.ask({ op: 'finish', name: 'download' });
  assert.match(
    String(replies?.[0]),
    /^(?:closed|reset)$/,
    `the download, whose data ended by ${String(data)}`,
  );
  assert.ok(bytes > 0 && bytes < bigSize);
}

/** A whole session of its own: login, download, every byte right. */
async function assertWorks(): Promise<void> {
  await victims.download('again');
  await victims.agent.ask({ op: 'hurry', name: 'again' });
  await assertWhole('again');
}

async function assertWhole(name: string): Promise<void> {
  const { replies } = await victims.agent.ask({ op: 'finish', name });
  assert.match(String(replies?.[0]), /^226 /);
  assert.equal(sha256(victims.fileOf(name)), sha256(path.join(server.home, bigFile)));
}

describe('a worker dies', () => {
  for (const onFailure of ['open', 'closed'] as const) {
    test(`${onFailure}: its sessions end, the other worker's live, newcomers are refused or secured`, async () => {
      await launch(onFailure, { program: mortal });
      const ports = new Map<string, number>();
      for (const name of ['idle-a', 'idle-b']) ports.set(name, await victims.logIn(name));
      for (const name of ['download-a', 'download-b']) ports.set(name, await victims.download(name));
      const workers = await workersOf(ports);
      const doomed = workers.get('download-a') ?? '';
      assert.deepEqual(new Set(workers.values()), new Set(['0', '1']), 'both workers carry some');
      writeFileSync(path.join(lab.folder, `fuse-${doomed}`), '');
      const fates = await victims.newcomersUntil(async () => {
        const { workers: all } = await status();
        return all[Number(doomed)]?.restarts === 1 && all.every((worker) => worker.alive);
      });
      const harmless: readonly Fate[] = ['secured', 'refused', 'reset', 'closed'];
      const strange = [...fates].filter((fate) => !harmless.includes(fate));
      assert.deepEqual(strange, []);
      for (const [name, worker] of workers) await assertFate(name, worker === doomed);
      const after = await status();
      assert.deepEqual(after.warnings, ['A worker died and was replaced 1 times; see ftpseal log.']);
      assert.match(daemon.log(), /error a worker died and is being replaced .*fuse.*sessionsLost=[2-9]/);
      assert.equal(await victims.newcomer(), 'secured');
      assert.equal(await victims.newcomer(), 'secured');
      await assertWorks();
    });
  }

  /** Which worker carries which session: its id names the worker. */
  async function workersOf(ports: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, string>> {
    const { sessions: views } = z
      .object({ sessions: sessionViewSchema.array() })
      .parse(await daemon.json(['sessions']));
    return new Map(
      [...ports].map(([name, port]) => {
        const view = views.find(({ state }) => state.connection.client.port === port);
        return [name, view?.state.id.split('-')[0] ?? ''];
      }),
    );
  }

  async function assertFate(name: string, lost: boolean): Promise<void> {
    if (name.startsWith('idle')) {
      const reply = await victims.agent.reply({ op: 'say', name, text: 'NOOP' });
      assert.match(reply, lost ? /^(?:closed|reset)$/ : /^200 /, name);
      return;
    }
    await victims.agent.ask({ op: 'hurry', name });
    if (!lost) {
      await assertWhole(name);
      return;
    }
    const { replies } = await victims.agent.ask({ op: 'finish', name });
    assert.match(String(replies?.[0]), /^(?:closed|reset)$/, name);
  }
});

for (const onFailure of ['open', 'closed'] as const) {
  const meanwhile = onFailure === 'open' ? 'go in clear' : 'are refused';

  test(`${onFailure}: kill -9 of the proxy: its sessions end, newcomers ${meanwhile} until it is back (T51)`, async () => {
    await launch(onFailure);
    await victims.open();
    const { pid } = await status();
    process.kill(pid, 'SIGKILL');
    const [fates] = await Promise.all([
      victims.newcomersUntil(async () => (await isReady()) && (await status()).pid !== pid),
      victims.speakOn(),
    ]);
    assert.equal(fates.has('direct'), onFailure === 'open', `newcomers have met ${[...fates].join(', ')}`);
    await assertAllCut();
    assert.match(daemon.log(), /error the proxy process ended; starting another signal=SIGKILL/);
    assert.equal(await victims.newcomer(), 'secured');
    await assertWorks();
  });

  test(`${onFailure}: kill -9 of the supervisor: sessions end after the grace, newcomers ${meanwhile} (T51)`, async () => {
    await launch(onFailure);
    await victims.open();
    const { pid } = await status();
    process.kill(daemon.pid, 'SIGKILL');
    const expected = onFailure === 'open' ? 'direct' : 'refused';
    await waitFor('the rules to follow', async () => (await victims.newcomer()) === expected);
    await victims.moves('download'); // The grace: what runs may go on for three seconds.
    const fates = await victims.newcomersUntil(() => Promise.resolve(!existsSync(`/proc/${pid}`)));
    assert.ok(fates.has(expected));
    // After thousands of connections one gets the port of an earlier one, and the kernel still sends it to where a proxy was.
    const others = [...fates].filter((fate) => fate !== 'refused');
    assert.deepEqual(others, onFailure === 'open' ? ['direct'] : []);
    await victims.speakOn();
    await assertAllCut();
    const left = await ruleset();
    assert.doesNotMatch(left, /redirect to/);
    assert.equal(left.includes('reject with tcp reset'), onFailure === 'closed', left);
    await launch(onFailure);
    assert.equal(await victims.newcomer(), 'secured');
    await assertWorks();
  });

  test(`${onFailure}: cleanup after kill -9 leaves nothing of it, and nothing of others is touched (T51)`, async () => {
    await launch(onFailure);
    const { pid } = await status();
    process.kill(daemon.pid, 'SIGKILL');
    await gone(pid);
    const done = await cleanup();
    assert.deepEqual([done.code, done.stdout], [0, 'The redirect rules of ftpseal are gone.\n']);
    assert.equal(await ruleset(), foreign);
    assert.equal(await victims.newcomer(), 'direct');
    const again = await cleanup();
    assert.equal(again.code, 0, 'also without anything to remove');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${onFailure}: ${signal}: a transfer gets its grace, everything else ends, no rule is left`, async () => {
      await launch(onFailure);
      await victims.open();
      const { pid } = await status();
      // A Ctrl-C on the terminal reaches both.
      for (const one of signal === 'SIGINT' ? [daemon.pid, pid] : [daemon.pid]) process.kill(one, signal);
      await victims.agent.ask({ op: 'hurry', name: 'download' });
      await Promise.all([victims.speakOn(), assertWhole('download')]);
      assert.equal(await daemon.running.ended, 0);
      await gone(pid);
      assert.equal(await ruleset(), foreign);
      for (const name of ['greeted', 'idle'])
        assert.match(await victims.agent.reply({ op: 'say', name, text: 'NOOP' }), /^(?:closed|reset)$/);
      assert.equal(await victims.newcomer(), 'direct');
    });
  }
}

test('a stop opens no way past ftpseal for data: what a client was told to connect to may not be ours any more', async () => {
  await launch('open');
  await victims.open();
  await victims.logIn('offered');
  const secret = path.join(lab.folder, 'upload.bin');
  writeFileSync(secret, content(200_000, 5));
  const reply = await victims.agent.reply({ op: 'passive', name: 'offered' });
  const thief = await startThief(lab, server, portOf227(reply));
  process.kill(daemon.pid, 'SIGTERM');
  await waitFor('the redirect to go', async () => !(await ruleset()).includes('table inet ftpseal {'));
  await victims.agent
    .ask({ op: 'start', name: 'offered', command: 'STOR stolen.bin', path: secret })
    .catch(() => undefined);
  const asked = await victims.agent.reply({ op: 'passive', name: 'idle' });
  assert.doesNotMatch(asked, /^227/, 'a port that nobody redirects any more is offered to nobody');
  await daemon.running.ended;
  // The client may get as far as a connection; without the word to begin it sends nothing there.
  assert.doesNotMatch(thief.stdout(), /got/, 'somebody else got the file');
  await thief.stop();
});

test('closed: nobody takes the place of a dead proxy: what is redirected to its ports reaches no other program', async () => {
  await launch('closed');
  const { pid } = await status();
  const impostor = start({ namespace: lab.network.pc, uid: 30002 }, [
    '/usr/bin/python3',
    '-c',
    impostorScript,
  ]);
  await waitFor(
    () => `the impostor: ${impostor.stderr()}`,
    () => impostor.stderr().includes('waiting'),
  );
  process.kill(pid, 'SIGKILL');
  await waitFor('the impostor to have the ports', () => impostor.stderr().includes('has all'));
  const fates = await victims.newcomersUntil(isReady);
  assert.deepEqual(
    [...fates].filter((fate) => !['refused', 'timeout', 'secured'].includes(fate)),
    [],
  );
  assert.equal(impostor.stdout(), '', 'it has caught nobody');
  assert.equal(await victims.newcomer(), 'secured', 'on other ports');
  await impostor.stop();
});

/** Another user's program that takes the workers' ports as soon as they are free, greets and prints whom it catches. */
const impostorScript = `
import socket, sys, threading, time

def serve(one):
    while True:
        caller, _ = one.accept()
        print("caught", flush=True)
        caller.sendall(b"220 impostor\\r\\n")

places = [(host, port) for host in ("127.0.0.1", "::1") for port in (31100, 31101, 31116, 31117)]
sys.stderr.write("waiting\\n")
while places:
    for place in list(places):
        one = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(place)
            one.listen()
        except OSError:
            one.close()
            continue
        places.remove(place)
        threading.Thread(target=serve, args=(one,), daemon=True).start()
sys.stderr.write("has all\\n")
time.sleep(600)
`;
