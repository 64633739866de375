// The supervisor as a process: what its proxy may do, how each death goes, and what it refuses. Real nftables, real uids.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { z } from 'zod';
import { must, start, waitFor } from './harness/command.js';
import { openNetwork } from './harness/network.js';
import { startAgent } from './redirect/agent-process.js';
import { stagedProgram } from './redirect/staged.js';
import type { Place, Running } from './harness/command.js';
import type { Network } from './harness/network.js';
import type { Agent } from './redirect/agent-process.js';

const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';
const proxyUid = 21021;
const personUid = 30001;

const eventSchema = z.looseObject({ event: z.string() });
type Event = z.infer<typeof eventSchema>;

describe('supervisor', { skip }, () => {
  let network: Network;
  let folder: string;
  let person: Agent;
  let servers: Agent;
  let host: string;
  let count = 0;
  const running: Running[] = [];

  before(async () => {
    network = await openNetwork();
    folder = mkdtempSync('/var/tmp/ftpseal-supervisor-');
    chmodSync(folder, 0o755);
    host = network.nextAddress().ipv4;
    servers = startAgent(network.srv);
    await servers.ask({ kind: 'listen', host, port: 21, greeting: 'server' });
    person = startAgent(network.pc, { uid: personUid });
  });
  after(async () => {
    await person.kill();
    await servers.kill();
    await network.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    for (const supervisor of running.splice(0)) await supervisor.stop();
    assert.equal(await ruleset(), '', 'nothing is left in nftables');
  });

  interface Setting {
    readonly onFailure?: 'open' | 'closed';
    readonly behaviour?: string;
    readonly runtimeDir?: string;
    readonly stateDir?: string;
    readonly main?: string;
    readonly place?: Place;
    /** Words before the program, e.g. setpriv's. */
    readonly wrap?: readonly string[];
  }

  function fresh(): string {
    count += 1;
    return path.join(folder, String(count));
  }
  function launch(setting: Setting = {}): Running {
    const base = fresh();
    const argv = [
      process.execPath,
      stagedProgram('supervisor-main.js'),
      setting.runtimeDir ?? `${base}/run`,
      setting.stateDir ?? `${base}/state`,
      setting.onFailure ?? 'open',
      setting.behaviour ?? 'good',
      ...(setting.main === undefined ? [] : [setting.main]),
    ];
    const supervisor = start({ namespace: network.pc, ...setting.place }, [...(setting.wrap ?? []), ...argv]);
    running.push(supervisor);
    return supervisor;
  }
  function events(supervisor: Running): readonly Event[] {
    const lines = supervisor.stdout().split('\n').slice(0, -1);
    return lines.map((line) => eventSchema.parse(JSON.parse(line)));
  }
  function readyCount(supervisor: Running): number {
    return events(supervisor).filter((event) => event['message'] === 'ready').length;
  }
  async function ready(supervisor: Running, times = 1): Promise<void> {
    const said = (): string => `ready number ${times}:\n${supervisor.stdout()}${supervisor.stderr()}`;
    await waitFor(said, () => readyCount(supervisor) >= times);
  }
  function proxyPid(supervisor: Running): number {
    const begun = events(supervisor).findLast((event) => event.event === 'begun');
    return z.number().parse(begun?.['pid']);
  }
  async function gone(pid: number): Promise<void> {
    await waitFor(`the end of process ${pid}`, () => !existsSync(`/proc/${pid}`));
  }
  function ruleset(): Promise<string> {
    return must({ namespace: network.pc }, ['nft', 'list', 'ruleset']);
  }
  async function greeting(): Promise<string | undefined> {
    const answer = await person.ask({ kind: 'connect', host, port: 21, from: {} });
    return answer.greeting ?? answer.error;
  }
  async function fault(supervisor: Running): Promise<string> {
    const code = await supervisor.ended;
    const last = events(supervisor).at(-1);
    assert.equal(last?.event, 'fault', `${supervisor.stdout()}${supervisor.stderr()}`);
    assert.notEqual(code, 0);
    return `${String(last['code'])}: ${String(last['sentence'])}`;
  }

  test('the proxy has another uid, no capability, no way to get one, and a small environment', async () => {
    const supervisor = launch({
      place: { env: { NODE_OPTIONS: '--no-warnings', LD_LIBRARY_PATH: '/tmp', SECRET: '1' } },
    });
    await ready(supervisor);
    assert.match((await greeting()) ?? '', /^control 31/);
    const status = readFileSync(`/proc/${proxyPid(supervisor)}/status`, 'utf8');
    assert.match(status, new RegExp(`^Uid:\\t${Array(4).fill(proxyUid).join('\\t')}$`, 'm'));
    assert.match(status, new RegExp(`^Gid:\\t${Array(4).fill(proxyUid).join('\\t')}$`, 'm'));
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) {
      assert.match(status, new RegExp(`^Cap${set}:\\t0{16}$`, 'm'), set);
    }
    const begun = events(supervisor).find((event) => event.event === 'begun');
    assert.equal(begun?.['cwd'], '/');
    const names = z.string().array().parse(begun['environment']);
    assert.deepEqual(
      names.filter((name) => !['LC_ALL', 'TERM', 'PATH'].includes(name)),
      [],
    );
  });

  test('the folders are made for the proxy alone', async () => {
    const base = fresh();
    const supervisor = launch({ runtimeDir: `${base}/a/run`, stateDir: `${base}/a/state` });
    await ready(supervisor);
    const modes = ['run', 'state'].map((name) => {
      const { uid, mode } = statSync(`${base}/a/${name}`);
      return { uid, mode: mode & 0o7777 };
    });
    assert.deepEqual(modes, [
      { uid: proxyUid, mode: 0o711 },
      { uid: proxyUid, mode: 0o700 },
    ]);
    assert.equal(statSync(`${base}/a/state/proof`).uid, proxyUid);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} ends all of it in order`, async () => {
      for (const onFailure of ['open', 'closed'] as const) {
        const supervisor = launch({ onFailure });
        await ready(supervisor);
        const pid = proxyPid(supervisor);
        process.kill(supervisor.pid, signal);
        assert.equal(await supervisor.ended, 0);
        assert.ok(events(supervisor).some((event) => event.event === 'stop'));
        await gone(pid);
        assert.equal(await ruleset(), '');
        assert.equal(await greeting(), 'server');
      }
    });
  }

  test('a proxy that does not end in time is killed', async () => {
    const supervisor = launch({ behaviour: 'stubborn' });
    await ready(supervisor);
    const pid = proxyPid(supervisor);
    process.kill(supervisor.pid, 'SIGTERM');
    assert.equal(await supervisor.ended, 0);
    await gone(pid);
  });

  for (const onFailure of ['open', 'closed'] as const) {
    test(`${onFailure}: a killed proxy is replaced`, async () => {
      const supervisor = launch({ onFailure });
      await ready(supervisor);
      for (let life = 1; life <= 2; life += 1) {
        process.kill(proxyPid(supervisor), 'SIGKILL');
        const mourned = (): boolean =>
          events(supervisor).filter((event) => String(event['message']).includes('starting another'))
            .length >= life;
        await waitFor('the end being noticed', mourned);
        await waitFor('the rules to follow on_failure', async () => {
          const redirects = (await ruleset()).includes('redirect');
          return redirects === (onFailure === 'closed') || readyCount(supervisor) > life;
        });
        // The next proxy may be there already; what must not be is the other policy.
        assert.notEqual(await greeting(), onFailure === 'open' ? 'ECONNREFUSED' : 'server');
        await ready(supervisor, life + 1);
        assert.match((await greeting()) ?? '', /^control /);
      }
    });

    test(`${onFailure}: a killed supervisor takes its proxy along, and the next one takes over`, async () => {
      const base = fresh();
      const folders = { runtimeDir: `${base}/run`, stateDir: `${base}/state` };
      const first = launch({ onFailure, ...folders });
      await ready(first);
      const pid = proxyPid(first);
      process.kill(first.pid, 'SIGKILL');
      await first.ended;
      await gone(pid);
      assert.ok(events(first).some((event) => event.event === 'sigterm'));
      assert.equal(await greeting(), onFailure === 'open' ? 'server' : 'ECONNREFUSED');
      const second = launch({ onFailure, ...folders });
      await ready(second);
      assert.match((await greeting()) ?? '', /^control /);
    });
  }

  test('the next supervisor waits for a proxy that still ends its sessions', async () => {
    const base = fresh();
    const folders = { runtimeDir: `${base}/run`, stateDir: `${base}/state` };
    const first = launch({ behaviour: 'slow', ...folders });
    await ready(first);
    process.kill(first.pid, 'SIGKILL');
    const second = launch(folders);
    await ready(second);
    await gone(proxyPid(first));
    assert.ok(
      events(second).some((event) => String(event['message']).startsWith('waiting for the previous')),
    );
  });

  test('a second daemon is refused: same namespace, or same runtime folder', async () => {
    const base = fresh();
    const first = launch({ runtimeDir: `${base}/run`, stateDir: `${base}/state` });
    await ready(first);
    assert.match(
      await fault(launch()),
      new RegExp(
        `^usage: Another ftpseal daemon already runs in this network namespace \\(process ${first.pid}\\)`,
      ),
    );
    const elsewhere = launch({
      runtimeDir: `${base}/run`,
      stateDir: `${base}/other`,
      place: { namespace: network.srv },
    });
    assert.match(
      await fault(elsewhere),
      /^usage: Another ftpseal daemon uses .*\/run: stop it, or choose another/,
    );
    assert.match((await greeting()) ?? '', /^control /, 'the first one is unharmed');
  });

  test('a request that is not permitted is fatal for the proxy', async () => {
    assert.match(
      await fault(launch({ behaviour: 'early' })),
      /^internal: The proxy process ended by SIGKILL/,
    );
    const supervisor = launch({ behaviour: 'shell' });
    await waitFor('the kill', () => events(supervisor).some((event) => event['fatalFor'] === 'proxy'));
    await ready(supervisor, 2);
  });

  test('a proxy that does not answer any more is killed and replaced; the watchdog hears of the living alone', async () => {
    const heard = listenAsManager();
    const supervisor = launch({ behaviour: 'deaf', place: { env: heard.environment } });
    await ready(supervisor, 2);
    assert.ok(
      events(supervisor).some((event) => event['message'] === 'the proxy does not answer and is killed'),
    );
    process.kill(supervisor.pid, 'SIGTERM');
    assert.equal(await supervisor.ended, 0);
    const told = await heard.stop();
    const before = told.slice(0, told.indexOf(mourning));
    assert.equal(before.filter((text) => text === 'READY=1').length, 1, told.join('\n'));
    // Before it was ready, and as often as it is asked.
    assert.ok(before.filter((text) => text === 'WATCHDOG=1').length >= 6, told.join('\n'));
    assert.deepEqual(
      told.filter((text) => text.startsWith('STATUS=')),
      [secured, mourning, secured],
    );
    assert.equal(told.at(-1), 'STOPPING=1');
  });

  const secured = 'STATUS=FTP to port 21 is secured.';
  const mourning = 'STATUS=The proxy ended; another one starts. FTP goes out as without ftpseal until then.';

  /** A socket as systemd has one, and what was said to it. The watchdog's limit makes the supervisor look ten times a second. */
  function listenAsManager() {
    const file = `${fresh()}.sock`;
    const code =
      'import os, socket, sys\n' +
      's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)\n' +
      'while True: print(s.recv(4096).decode(), flush=True)';
    const socket = start({}, ['python3', '-c', code, file]);
    running.push(socket);
    return {
      environment: { NOTIFY_SOCKET: file, WATCHDOG_USEC: '300000' },
      stop: async () => {
        await socket.stop();
        return socket.stdout().trim().split('\n');
      },
    };
  }

  test('a proxy that ends at its start ends the supervisor', async () => {
    assert.match(await fault(launch({ behaviour: 'exit' })), /ended with exit code 7 before it was ready\.$/);
  });

  test('a program that the proxy’s user can’t read is named', async () => {
    const closed = fresh();
    mkdirSync(`${closed}/program`, { recursive: true });
    writeFileSync(`${closed}/program/main.js`, '');
    chmodSync(closed, 0o700);
    const sentence = await fault(launch({ main: `${closed}/program/main.js` }));
    assert.equal(
      sentence,
      `config: The proxy runs as uid ${proxyUid}, which may not read ${closed}/program/main.js: the folder ${closed} is closed to it.` +
        ' Install ftpseal where every user may read it, or change the permissions.',
    );
  });

  test('folders that are links, foreign, in use or in unsafe places are refused', async () => {
    const base = fresh();
    mkdirSync(`${base}/used`, { recursive: true });
    writeFileSync(`${base}/used/file`, '');
    symlinkSync('/etc', `${base}/link`);
    mkdirSync(`${base}/foreign`);
    chownSync(`${base}/foreign`, personUid, personUid);
    mkdirSync(`${base}/open`);
    chmodSync(`${base}/open`, 0o777);
    const expected = [
      ['link', /link is a link or a file; ftpseal needs a folder of its own there\.$/],
      ['foreign', /foreign belongs to uid 30001; ftpseal needs a folder of its own there\.$/],
      ['used', /used is in use for other things; ftpseal needs a folder of its own\.$/],
      ['open/run', /is no safe place for ftpseal’s files: other users can change .*\/open\.$/],
      ['foreign/run', /is no safe place for ftpseal’s files: other users can change .*\/foreign\.$/],
    ] as const;
    for (const [name, sentence] of expected) {
      assert.match(await fault(launch({ stateDir: `${base}/${name}` })), sentence);
    }
    assert.equal(statSync('/etc').uid, 0);
    assert.equal(statSync(`${base}/foreign`).uid, personUid);
  });

  test('without any right: one sentence; with CAP_NET_ADMIN alone: it works, and the proxy has not even that', async () => {
    const denied = launch({ place: { uid: personUid } });
    assert.match(
      await fault(denied),
      /^not-permitted: .*run ftpseal as root, or with the capability CAP_NET_ADMIN\.$/,
    );
    const own = fresh();
    mkdirSync(own);
    chownSync(own, personUid, personUid);
    const wrap = [
      ...['setpriv', `--reuid=${personUid}`, `--regid=${personUid}`, '--clear-groups'],
      ...['--inh-caps=-all,+net_admin', '--ambient-caps=-all,+net_admin', '--'],
    ];
    const supervisor = launch({ wrap, runtimeDir: `${own}/run`, stateDir: `${own}/state` });
    await ready(supervisor);
    const status = readFileSync(`/proc/${proxyPid(supervisor)}/status`, 'utf8');
    for (const set of ['Inh', 'Prm', 'Eff', 'Amb'])
      assert.match(status, new RegExp(`^Cap${set}:\\t0{16}$`, 'm'), set);
    assert.equal(await greeting(), 'server', 'this person is the proxy’s user now');
    const other = startAgent(network.pc, { uid: 30002 });
    const answer = await other.ask({ kind: 'connect', host, port: 21, from: {} });
    await other.kill();
    assert.match(answer.greeting ?? '', /^control /);
  });
});
