// The daemon's processes as others on the machine meet them: what they may do, what they show, what they withstand, and how
// they say that they can't start. daemon/ATTACK-SURFACE.md rests on it.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { statusSchema } from '../../shared/ipc-messages.js';
import { login } from './harness/account.js';
import { must, run, sleep, start, waitFor, type Finished } from './harness/command.js';
import { acceptNew, stageProgram, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content } from './harness/payload.js';
import { threadStatuses } from './harness/proc.js';
import type { LabServer } from './harness/server.js';
import { SessionAgent } from './harness/session-agent.js';
import { startThief } from './harness/thief.js';
import { vsftpdTls } from './servers/vsftpd.js';

const proxyUid = 21021;
const strangerUid = 30002;
const python = '/usr/bin/python3';
const twoWorkers = `${acceptNew}[divert]\nworkers = 2\n`;

let lab: Lab;
let server: LabServer;
let daemon: Daemon;
let proxy: number;

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  daemon = await startDaemon(lab, 'processes', twoWorkers);
  proxy = statusSchema.parse(await daemon.json(['status'])).pid;
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

function ruleset(): Promise<string> {
  return must({ namespace: lab.network.pc }, ['nft', 'list', 'ruleset']);
}

test('no thread of the proxy has a capability, root’s uid, a group or a way to get any', () => {
  const threads = threadStatuses(proxy);
  assert.ok(threads.length > 3, 'main thread, workers, libuv');
  for (const status of threads) {
    for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
      assert.match(status, new RegExp(`^Cap${set}:\t0{16}$`, 'm'));
    for (const id of ['Uid', 'Gid'])
      assert.match(status, new RegExp(`^${id}:\t${Array(4).fill(proxyUid).join('\t')}$`, 'm'));
    assert.match(status, /^Groups:\s*$/m);
    assert.match(status, /^NoNewPrivs:\t1$/m);
  }
});

/** What a process of uid `uid` may do to the process `pid`: read its memory and environment, trace it. */
async function powerOver(pid: number, uid: number): Promise<string> {
  const script = [
    'import ctypes, sys, os',
    'pid = int(sys.argv[1])',
    'def may(action):',
    '    try: action(); return "yes"',
    '    except OSError as error: return type(error).__name__',
    'libc = ctypes.CDLL(None, use_errno=True)',
    'def attach():',
    '    if libc.ptrace(16, pid, None, None) != 0: raise OSError(ctypes.get_errno(), "")',
    '    os.waitpid(pid, 0x40000000); libc.ptrace(17, pid, None, None)',
    'for name in "mem", "environ", "maps", "fd":',
    '    path = f"/proc/{pid}/{name}"',
    '    print(name, may(lambda: os.listdir(path) if name == "fd" else open(path, "rb").read(0 if name == "mem" else 1)))',
    'print("trace", may(attach))',
  ].join('\n');
  const finished = await run({ uid }, [python, '-c', script, String(pid)]);
  assert.equal(finished.code, 0, finished.stderr);
  return finished.stdout.trim().split('\n').join(', ');
}

test('another process of the proxy’s uid can neither trace it nor read its memory; no core is ever written', async () => {
  const control = start({ uid: proxyUid }, ['sleep', '60']);
  const nothing =
    'mem PermissionError, environ PermissionError, maps PermissionError, fd PermissionError, trace PermissionError';
  assert.equal(await powerOver(control.pid, proxyUid), 'mem yes, environ yes, maps yes, fd yes, trace yes');
  assert.equal(await powerOver(proxy, proxyUid), nothing);
  assert.equal(await powerOver(daemon.pid, proxyUid), nothing, 'least of all the supervisor');
  await control.stop();
  // Undumpable is what the kernel goes by before any core limit; it shows in whose the files in /proc are.
  assert.equal(statSync(`/proc/${proxy}/environ`).uid, 0);
});

test('SIGUSR1 opens no debugger in either process', async () => {
  for (const pid of [proxy, daemon.pid]) process.kill(pid, 'SIGUSR1');
  await sleep(500);
  await daemon.json(['status']);
  assert.doesNotMatch(daemon.log(), /Debugger/);
  assert.doesNotMatch(await must({ namespace: lab.network.pc }, ['ss', '-Hltn']), /:9229/);
});

test('what the daemon shows to others: loopback ports, one socket, private files, a bare environment', async () => {
  const listening = (await must({ namespace: lab.network.pc }, ['ss', '-Hltn']))
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/)[3]);
  // Of each worker one for control and eight for data.
  const ports = [31100, 31116].flatMap((first) => Array.from({ length: 9 }, (_, index) => first + index));
  assert.deepEqual(
    listening.sort(),
    [...ports.map((port) => `127.0.0.1:${port}`), ...ports.map((port) => `[::1]:${port}`)].sort(),
  );
  const files = ['run', 'run/ftpseal.sock', 'state', 'state/log', 'state/log/ftpseal.log'].map((name) => {
    const { uid, gid, mode } = statSync(path.join(daemon.folder, name));
    return `${name} ${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
  });
  const own = `${proxyUid}:${proxyUid}`;
  assert.deepEqual(files, [
    `run ${own} 711`,
    `run/ftpseal.sock ${own} 666`,
    `state ${own} 700`,
    `state/log ${own} 700`,
    `state/log/ftpseal.log ${own} 600`,
  ]);
  const environment = readFileSync(`/proc/${proxy}/environ`, 'latin1').split('\0');
  const names = environment.map((entry) => entry.split('=')[0]).filter((name) => name !== '');
  assert.deepEqual(
    names.filter(
      (name) =>
        !['PATH', 'LC_ALL', 'TERM', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'].includes(
          name ?? '',
        ),
    ),
    [],
  );
});

test('a program that connects to the proxy’s own ports gets not one byte', async () => {
  const script = [
    'import socket, sys',
    'for host in "127.0.0.1", "::1":',
    '    for port in 31100, 31101, 31108, 31116, 31117, 31124:',
    '        one = socket.create_connection((host, port), timeout=20)',
    '        try: print(len(one.recv(100)))',
    '        except ConnectionResetError: print(0)',
  ].join('\n');
  const place = { namespace: lab.network.pc, uid: strangerUid };
  assert.equal(await must(place, [python, '-c', script]), '0\n'.repeat(12));
  assert.match(daemon.log(), /a data connection was made to the proxy itself/);
});

async function warnings(): Promise<readonly string[]> {
  return statusSchema.parse(await daemon.json(['status'])).warnings;
}

for (const onFailure of ['open', 'closed'] as const) {
  test(`${onFailure}: somebody who flushes all rules of a running daemon does not reach the redirect, and the rest is put back`, async () => {
    const other = await startDaemonAgain(`flushed-${onFailure}`, onFailure);
    const agent = new SessionAgent(lab);
    assert.match(await logIn(agent, server, 'running'), /^230/);
    await must({ namespace: lab.network.pc }, ['nft', 'flush', 'ruleset']);
    assert.match(await agent.reply({ op: 'say', name: 'running', text: 'NOOP' }), /^200/);
    assert.match(await logIn(agent, server, 'new'), /^230/);
    const denied = await run({ namespace: lab.network.pc }, ['nft', 'delete', 'table', 'inet', 'ftpseal']);
    assert.match(denied.stderr, /Operation not permitted/);
    const cleanup = await ftpseal([], ['cleanup']);
    const sentence =
      'ftpseal: Another running ftpseal daemon holds the redirect rules of this network namespace; stop it first.';
    assert.deepEqual([cleanup.code, cleanup.stderr.trim()], [1, sentence]);
    assert.match(await ruleset(), /redirect to/);
    await waitFor('the rest', async () => (await ruleset()).includes('table inet ftpseal_hold'));
    const hold = ['nft', 'list', 'table', 'inet', 'ftpseal_hold'];
    const refuses = (await must({ namespace: lab.network.pc }, hold)).includes('reject with tcp reset');
    assert.equal(refuses, onFailure === 'closed');
    const others = ['flush table inet ftpseal_hold', 'delete chain inet ftpseal_hold leaving'];
    for (const [index, change] of others.entries()) {
      const whole = await ruleset();
      await must({ namespace: lab.network.pc }, ['nft', change]);
      await waitFor(change, async () => (await ruleset()) === whole);
      const said = new RegExp(`^Another program \\(nft\\) removed rules .* put back \\(${index + 2} times`);
      await waitFor('a word in status', async () => said.test((await warnings()).join('\n')));
    }
    const lines = other
      .log()
      .split('\n')
      .filter((line) => line.includes('removed rules of ftpseal'));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(
      lines[0] ?? '',
      /warn +another program removed rules of ftpseal; they were put back by=nft times=1$/,
    );
    await agent.kill();
    await other.stop();
    assert.equal(await ruleset(), '');
  });
}

test('an upload does not begin while the client’s data connection is with somebody else', async () => {
  await startDaemonAgain('bypassed', 'open');
  const agent = new SessionAgent(lab);
  assert.match(await logIn(agent, server, 'bypassed'), /^230/);
  const port = 5021; // Nothing redirects it: as the offered one where the redirect had gone.
  const thief = await startThief(lab, server, port);
  const file = path.join(lab.folder, 'upload.bin');
  writeFileSync(file, content(200_000, 5));
  const upload = { op: 'start', name: 'bypassed', command: 'STOR stolen.bin', path: file, port } as const;
  const started = agent.ask(upload);
  await waitFor('the client to be with the thief', () => thief.stdout().includes('caller'));
  await waitFor('the server to say go', () => server.log().includes('150 Ok to send data'));
  const outcome = await Promise.race([started, sleep(1500)]);
  assert.equal(outcome, undefined, 'the client is not told to begin');
  await agent.kill();
  await assert.rejects(started);
  assert.equal(thief.stdout(), 'caller\n', 'a connection, and not one byte');
  await thief.stop();
});

function logIn(agent: SessionAgent, one: LabServer, name: string): Promise<string> {
  return agent.reply({ op: 'open', name, host: one.address.ipv4, login: [login.user, login.password] });
}

/** Another daemon in place of the first, which is stopped; `after` stops the last one. */
async function startDaemonAgain(name: string, onFailure: 'open' | 'closed'): Promise<Daemon> {
  await daemon.stop();
  daemon = await startDaemon(lab, name, `${acceptNew}[divert]\nworkers = 2\non_failure = "${onFailure}"\n`);
  return daemon;
}

function keyTrouble(reason: string): RegExp {
  return new RegExp(
    `^The key store .* can’t be written \\(${reason}\\): what is known stays, new .* refused`,
    'm',
  );
}

function oneLine(finished: Finished): string {
  return finished.stderr.trim();
}

/** Runs `ftpseal …` on the client's host with words before it. */
async function ftpseal(wrap: readonly string[], argv: readonly string[]): Promise<Finished> {
  const main = path.join(await stageProgram(lab), 'dist/daemon/main.js');
  return run({ namespace: lab.network.pc }, [...wrap, process.execPath, main, ...argv]);
}

function folders(name: string): readonly string[] {
  const folder = path.join(lab.folder, name);
  return ['--state-dir', path.join(folder, 'state'), '--runtime-dir', path.join(folder, 'run')];
}

test('hold refuses FTP until the daemon runs, of routed clients too; with a wrong configuration all the same', async () => {
  await startDaemonAgain('before-hold', 'open');
  const config = path.join(lab.folder, 'hold.toml');
  const hold = () => ftpseal([], ['hold', '--config', config]);
  const meets = async () => {
    const place = { namespace: lab.network.pc, uid: strangerUid };
    const url = `ftp://${server.address.ipv4}/`;
    const { code } = await run(place, ['curl', '--silent', '--user', 'x:y', url]);
    return code === 7 ? 'refused' : 'something';
  };
  writeFileSync(config, '[divert]\nforwarded = true\nexempt_users = ["nobody", "unheard-of"]\n');
  assert.equal((await hold()).stdout, 'ftpseal runs, so there is nothing to hold.\n');
  await daemon.stop();
  assert.equal(await meets(), 'something');
  const held = await hold();
  assert.deepEqual([held.code, held.stdout], [0, 'FTP is refused until ftpseal runs.\n'], held.stderr);
  assert.equal(await meets(), 'refused');
  assert.match(await ruleset(), /hook forward/);
  await ftpseal([], ['cleanup']);
  writeFileSync(config, '[divert]\nports = "all"\n');
  assert.equal((await hold()).code, 1);
  assert.equal(await meets(), 'refused');
  daemon = await startDaemon(lab, 'after-hold', twoWorkers);
  const agent = new SessionAgent(lab);
  assert.match(
    await logIn(agent, server, 'after'),
    /^230/,
    'the daemon takes over, with on_failure = "open"',
  );
  await agent.kill();
});

test('without nft: one sentence that says which package, and exit code 1', async () => {
  await daemon.stop();
  const hide = 'mount -t tmpfs none /usr/sbin && exec "$@"';
  const withoutNft = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', hide, 'sh'];
  for (const argv of [['daemon', '--foreground', ...folders('no-nft')], ['cleanup']]) {
    const finished = await ftpseal(withoutNft, argv);
    assert.equal(finished.code, 1);
    assert.equal(
      oneLine(finished).split('\n').at(-1),
      'ftpseal: The program nft is not installed, so connections can’t be redirected: install the package nftables.',
    );
  }
  assert.equal(await ruleset(), '');
});

test('without the right to change rules: one sentence, exit code 4, nothing left', async () => {
  const powerless = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', '--'];
  const start = await ftpseal(powerless, ['daemon', '--foreground', ...folders('powerless')]);
  assert.equal(start.code, 4);
  assert.equal(
    oneLine(start),
    'ftpseal: Redirecting connections is not permitted: run ftpseal as root, or with the capability CAP_NET_ADMIN.',
  );
  const cleanup = await ftpseal(powerless, ['cleanup']);
  assert.equal(cleanup.code, 4);
  assert.equal(
    oneLine(cleanup),
    'ftpseal: Changing the machine’s redirect rules is not permitted: run ftpseal as root, or with the capability CAP_NET_ADMIN.',
  );
  assert.equal(await ruleset(), '');
});

test('a full disk: known servers work, new keys are refused, nothing else breaks', async () => {
  await daemon.stop();
  const state = path.join(lab.folder, 'daemon-full/state');
  daemon = await startDaemon(lab, 'full', twoWorkers, { wrap: withState(state, 'size=128k,mode=700') });
  const second = await lab.server(vsftpdTls);
  const agent = new SessionAgent(lab);
  assert.match(await logIn(agent, server, 'first'), /^230/);
  // Through the daemon's own root: the folder is mounted for it alone.
  await run({}, ['sh', '-c', `cat /dev/zero > /proc/${daemon.pid}/root${state}/filler`]);
  assert.match(await logIn(agent, server, 'known'), /^230/);
  const refused = await logIn(agent, second, 'new');
  assert.match(refused, /^421 ftpseal: The key store .*keys\.json can't be written; nothing was changed\.$/);
  const added = await daemon.cli(['keys', 'add', second.address.ipv4, second.certificate.fingerprint]);
  assert.equal(added.code, 1);
  assert.match(oneLine(added), /^ftpseal: The key store .* can’t be written; nothing was changed\.$/);
  assert.match((await warnings()).join('\n'), keyTrouble('the disk is full'));
  const kept = readFileSync(`/proc/${daemon.pid}/root${state}/keys.json`, 'utf8');
  assert.ok(kept.includes(server.certificate.fingerprint), 'what was known is still known');
  rmSync(`/proc/${daemon.pid}/root${state}/filler`);
  assert.match(await logIn(agent, second, 'new again'), /^230/);
  assert.deepEqual(await warnings(), []);
  // A disk that fails is made read-only by the kernel, under the feet of who runs.
  const inside = ['nsenter', '-t', String(daemon.pid), '--mount', 'sh', '-c'];
  await must({}, [...inside, `mount --bind ${state} ${state} && mount -o remount,bind,ro ${state}`]);
  assert.match(await logIn(agent, second, 'known again'), /^230/);
  const third = await lab.server(vsftpdTls);
  assert.match(await logIn(agent, third, 'third'), /^421 ftpseal: The key store /);
  assert.match((await warnings()).join('\n'), keyTrouble('its file system is read-only'));
  await must({}, [...inside, `umount ${state}`]);
  assert.match(await logIn(agent, third, 'third again'), /^230/);
  assert.deepEqual(await warnings(), []);
  await agent.kill();
  await daemon.stop();
  assert.equal(await ruleset(), '');
});

test('a state folder that has become read-only: the daemon starts, and trusts nobody new', async () => {
  const state = path.join(lab.folder, 'daemon-frozen/state');
  const frozen = withState(
    state,
    `mode=700,uid=${proxyUid},gid=${proxyUid}`,
    `mount -o remount,ro ${state} && `,
  );
  daemon = await startDaemon(lab, 'frozen', twoWorkers, { wrap: frozen });
  const agent = new SessionAgent(lab);
  assert.match(await logIn(agent, server, 'first'), /^421 ftpseal: The key store /);
  assert.match((await warnings()).join('\n'), keyTrouble('its file system is read-only'));
  assert.match(daemon.log(), /ftpseal: The log .* can’t be written/);
  await agent.kill();
  await daemon.stop();
});

test('a new state folder that can’t be written: the daemon does not start, and says why', async () => {
  const name = 'read-only';
  const state = path.join(lab.folder, name, 'state');
  const finished = await ftpseal(withState(state, 'ro,mode=700'), [
    'daemon',
    '--foreground',
    ...folders(name),
  ]);
  assert.equal(finished.code, 1);
  assert.equal(
    oneLine(finished),
    `ftpseal: ${state} can’t be made ready for ftpseal: its file system is read-only.`,
  );
  assert.equal(await ruleset(), '');
});

/** Words before a program: it sees a memory file system in the state folder's place. */
function withState(state: string, options: string, then = ''): readonly string[] {
  const mount = `mkdir -p ${state} && mount -t tmpfs -o ${options} none ${state} && ${then}exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', mount, 'sh'];
}
