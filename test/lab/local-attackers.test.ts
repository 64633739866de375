// Another user of this machine against the daemon: its files, its processes, its locks, and every name that this user can choose
// and that ends up on somebody else's terminal. Data connections are in show-6-middle, the socket's methods in
// test/daemon/ipc/stranger, folders laid out before the start in test/daemon/supervisor/folders.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { clientUid } from './harness/account.js';
import { must, run, start, waitFor, type Running } from './harness/command.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { repository } from './harness/server.js';
import { questions, status } from './show/ground.js';

const proxyUid = 21021;
const strangerUid = 30002;
const python = '/usr/bin/python3';
/** Nobody is there to answer, so what others are called stays on the screen. */
const asking =
  '[trust]\nunknown = "ask"\nstore = "file"\n[fallback]\ncleartext = "ask"\n[divert]\nworkers = 1\n';

let lab: Lab;
let daemon: Daemon | undefined;
const others: Running[] = [];

before(async () => {
  lab = await openLab();
});

afterEach(async () => {
  for (const one of others.splice(0)) await one.stop();
  await daemon?.stop();
  daemon = undefined;
});

after(async () => {
  await lab.close();
});

async function startDaemonHere(name: string, wrap: readonly string[] = []): Promise<Daemon> {
  daemon = await startDaemon(lab, name, asking, { wrap });
  return daemon;
}

/** A Python program of the stranger's on the client's host; `try_(label, action)` prints what became of an action. */
function strangers(script: string, argv: readonly string[]): readonly string[] {
  const head =
    'import ctypes, fcntl, os, socket, sys, time\n' +
    'def try_(label, action):\n' +
    '    try: action(); print(label, "worked", flush=True)\n' +
    '    except OSError as error: print(label, type(error).__name__, flush=True)\n';
  return [python, '-c', head + script, ...argv];
}

test('another user can neither read nor change nor replace a file of the daemon', async () => {
  const running = await startDaemonHere('files');
  const { folder } = running;
  const link = path.join(lab.folder, 'strangers-link');
  mkdirSync(link);
  chmodSync(link, 0o777);
  const script =
    'base, links = sys.argv[1:]\n' +
    'names = ["state", "state/keys.json", "state/log/ftpseal.log", "run", "run/ftpseal.sock"]\n' +
    'for name in names:\n' +
    '    path = os.path.join(base, name); other = os.path.join(links, name.replace("/", "-"))\n' +
    '    try_(name + " list", lambda: os.listdir(path))\n' +
    '    try_(name + " read", lambda: os.open(path, os.O_RDONLY))\n' +
    '    try_(name + " write", lambda: os.open(path, os.O_WRONLY))\n' +
    '    try_(name + " hard link", lambda: os.link(path, other))\n' +
    '    try_(name + " rename", lambda: os.rename(path, other))\n' +
    '    try_(name + " replace", lambda: (os.symlink("/etc/passwd", other), os.rename(other, path)))\n' +
    '    try_(name + " remove", lambda: os.unlink(path))\n' +
    '    try_(name + " chmod", lambda: os.chmod(path, 0o777))\n' +
    'try_("run new socket", lambda: socket.socket(socket.AF_UNIX).bind(os.path.join(base, "run/other.sock")))\n' +
    'try_("run same socket", lambda: socket.socket(socket.AF_UNIX).bind(os.path.join(base, "run/ftpseal.sock")))\n';
  const place = { namespace: lab.network.pc, uid: strangerUid };
  const lines = (await must(place, strangers(script, [folder, link]))).trim().split('\n');
  assert.equal(lines.length, 42);
  const unlike = lines.filter((line) => !line.endsWith(' PermissionError'));
  assert.deepEqual(unlike, [
    // A folder is not written as a file, and a socket is neither a folder nor opened, by nobody.
    'state write IsADirectoryError',
    'run write IsADirectoryError',
    'run/ftpseal.sock list NotADirectoryError',
    'run/ftpseal.sock read OSError',
    'run/ftpseal.sock write OSError',
    'run same socket OSError',
  ]);
  assert.equal((await running.cli(['status'], strangerUid)).code, 0, 'what the socket is there for');
});

test('another user can keep no lock and no name from the daemon: it starts again', async () => {
  const { folder } = await startDaemonHere('locks');
  const script =
    'name = socket.socket(socket.AF_UNIX); run = sys.argv[1]\n' +
    'def lock():\n' +
    '    folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)\n' +
    '    fcntl.flock(folder, fcntl.LOCK_SH)\n' +
    'try_("lock", lock)\n' +
    'while True:\n' +
    '    try: name.bind("\\0ftpseal-supervisor"); break\n' +
    '    except OSError: time.sleep(0.001)\n' +
    'name.listen(); print("name worked", flush=True)\n' +
    'try_("lock", lock)\n' +
    'time.sleep(60)\n';
  const place = { namespace: lab.network.pc, uid: strangerUid };
  const stranger = start(place, strangers(script, [path.join(folder, 'run')]));
  others.push(stranger);
  await waitFor('the first try', () => stranger.stdout().includes('lock'));
  await daemon?.stop();
  daemon = undefined;
  await waitFor(
    () => `the stranger: ${stranger.stdout()}${stranger.stderr()}`,
    () => stranger.stdout().split('\n').length > 3,
  );
  assert.equal(stranger.stdout(), 'lock PermissionError\nname worked\nlock PermissionError\n');
  const again = await startDaemonHere('locks');
  assert.equal((await status(again)).redirect.kind, 'active');
  // Where systemd makes the folder it is not open for a moment either.
  const unit = readFileSync(path.join(repository, 'installers/linux/files/ftpseal.service'), 'utf8');
  assert.match(unit, /^RuntimeDirectoryMode=0711$/m);
});

test('another user who holds the ports where the workers usually listen does not keep the daemon from starting', async () => {
  const script =
    'held = []\n' +
    'for base in 31100, 28100, 25100, 20100, 10100:\n' +
    '    for port in range(base, base + 16):\n' +
    '        held.append(socket.socket()); held[-1].bind(("127.0.0.1", port))\n' +
    'print("all", len(held), flush=True); time.sleep(60)\n';
  const place = { namespace: lab.network.pc, uid: strangerUid };
  const stranger = start(place, strangers(script, []));
  others.push(stranger);
  await waitFor(
    () => `the stranger: ${stranger.stderr()}`,
    () => stranger.stdout().includes('all 80'),
  );
  const running = await startDaemonHere('ports');
  assert.equal((await status(running)).redirect.kind, 'active');
  assert.match(running.log(), /warn {2}other programs hold the ports where the workers usually listen/);
  const listening = await must({ namespace: lab.network.pc }, ['ss', '-Hltn']);
  const ports = [...listening.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
  assert.equal(ports.length, 9);
  assert.ok(
    ports.every((port) => port >= 10_000 && port < 32_768),
    listening,
  );
});

test('/proc shows another user no memory, no environment, no file, and no secret word', async () => {
  const running = await startDaemonHere('proc');
  const { pid, folder } = running;
  const proxy = (await status(running)).pid;
  const script =
    'libc = ctypes.CDLL(None, use_errno=True)\n' +
    'def attach(pid):\n' +
    '    if libc.ptrace(16, pid, None, None) != 0: raise OSError(ctypes.get_errno(), "")\n' +
    'for pid in map(int, sys.argv[1:]):\n' +
    '    for name in "mem", "environ", "maps", "stack", "syscall", "io", "auxv":\n' +
    '        try_(name, lambda: open(f"/proc/{pid}/{name}", "rb").read(1))\n' +
    '    for name in "fd", "map_files":\n' +
    '        try_(name, lambda: os.listdir(f"/proc/{pid}/{name}"))\n' +
    '    for name in "cwd", "root", "exe":\n' +
    '        try_(name, lambda: os.readlink(f"/proc/{pid}/{name}"))\n' +
    '    try_("trace", lambda: attach(pid)); try_("signal", lambda: os.kill(pid, 0))\n';
  const place = { namespace: lab.network.pc, uid: strangerUid };
  const lines = (await must(place, strangers(script, [String(proxy), String(pid)]))).trim().split('\n');
  assert.equal(lines.length, 28);
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(' PermissionError')),
    [],
  );
  const words = readFileSync(`/proc/${proxy}/cmdline`, 'utf8').split('\0').slice(1);
  const program = ['--max-semi-space-size=2', path.join(running.program, 'dist/daemon/main.js')];
  const dirs = ['--state-dir', path.join(folder, 'state'), '--runtime-dir', path.join(folder, 'run')];
  const rest = ['--log-level', 'info', '--config', path.join(folder, 'config.toml'), '--foreground', ''];
  assert.deepEqual(words, [...program, 'proxy-process', ...dirs, ...rest]);
});

/** Whether a process of the proxy's user that reaches SIGABRT leaves a core, as it is or hardened as the proxy is. */
async function leavesCore(name: string, first: string): Promise<boolean> {
  const folder = path.join(lab.folder, name);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const script = `${first}process.kill(process.pid, 'SIGABRT')`;
  const node = [process.execPath, '--input-type=module', '-e', script];
  const argv = ['sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh', 'setpriv'];
  const drop = [`--reuid=${proxyUid}`, `--regid=${proxyUid}`, '--clear-groups', '--'];
  const finished = await run({ cwd: folder }, [...argv, ...drop, ...node]);
  assert.equal(finished.code, -1, finished.stderr);
  return readdirSync(folder).length > 0;
}

test('a proxy that crashes leaves no core, where any other process of its user would', async (t) => {
  if (!(await leavesCore('core-plain', ''))) {
    t.skip(`cores go elsewhere here: ${readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim()}`);
    return;
  }
  const module = path.join((await startDaemonHere('core')).program, 'dist/daemon/sys/process-hardening.js');
  const harden = `import { hardenProcess } from ${JSON.stringify(module)}; hardenProcess();`;
  assert.equal(await leavesCore('core-hardened', harden), false);
});

/** A folder full of things that a program might pick up because it is started there, or finds there by its environment. */
function layTrap(): { readonly folder: string; readonly sprung: () => boolean } {
  const folder = path.join(lab.folder, 'trap');
  const mark = path.join(lab.folder, 'sprung');
  const lay = (name: string, text: string, mode = 0o755): void => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text, { mode });
  };
  const code = `require('node:fs').writeFileSync(${JSON.stringify(mark)}, __filename);`;
  for (const name of ['zod', 'pino', 'koffi', 'commander', 'smol-toml', 'systray2']) {
    lay(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '99.0.0', main: 'index.js' }));
    lay(`node_modules/${name}/index.js`, code);
  }
  lay(
    'package.json',
    JSON.stringify({ type: 'commonjs', main: 'index.js', imports: { '#a': './index.js' } }),
  );
  for (const name of ['index.js', '.noderc', '.noderc.js', 'daemon/main.js', 'node.config.json'])
    lay(name, code);
  for (const name of ['nft', 'setpriv', 'getent', 'test', 'node', 'sh', 'traybin/tray_linux_release']) {
    lay(name, `#!/bin/sh\necho "$0" >> ${mark}\nexit 1\n`);
  }
  lay('config.toml', 'this is no configuration');
  chmodSync(folder, 0o777);
  return { folder, sprung: () => readdirSync(lab.folder).includes('sprung') };
}

test('what lies in the folder where the daemon is started, and what its environment names, is not used', async () => {
  const trap = layTrap();
  const here = (name: string): string => path.join(trap.folder, name);
  const wrap = [
    ...['env', '-C', trap.folder, `PATH=${trap.folder}`, `HOME=${trap.folder}`, `TMPDIR=${trap.folder}`],
    ...[`NODE_PATH=${here('node_modules')}`, `OPENSSL_CONF=${here('openssl.cnf')}`, 'NODE_ENV=test'],
    ...[`SSLKEYLOGFILE=${here('keys')}`, 'NODE_TLS_REJECT_UNAUTHORIZED=0', `SSL_CERT_FILE=${here('ca.pem')}`],
    ...[`XDG_STATE_HOME=${trap.folder}`, `XDG_RUNTIME_DIR=${trap.folder}`, `XDG_CONFIG_HOME=${trap.folder}`],
    ...[`NODE_V8_COVERAGE=${here('coverage')}`, `NODE_REDIRECT_WARNINGS=${here('warnings')}`],
    ...[`NAPI_RS_NATIVE_LIBRARY_PATH=${here('index.js')}`, 'NODE_DEBUG=tls', 'NODE_PENDING_DEPRECATION=1'],
  ];
  const before = readdirSync(trap.folder).sort();
  const running = await startDaemonHere('trap', wrap);
  const proxy = (await status(running)).pid;
  const environment = readFileSync(`/proc/${proxy}/environ`, 'latin1');
  assert.ok(!environment.includes(trap.folder), environment);
  assert.match(environment, /(?:^|\0)PATH=\/usr\/local\/sbin:\/usr\/sbin:/);
  assert.doesNotMatch(environment, /NODE_TLS|NODE_DEBUG|NODE_ENV|NAPI/);
  assert.match(
    readFileSync(`/proc/${running.pid}/environ`, 'latin1'),
    /NODE_TLS_REJECT_UNAUTHORIZED/,
    'it was there',
  );
  for (const uid of [undefined, strangerUid]) {
    const argv = [process.execPath, path.join(running.program, 'dist/daemon/main.js'), 'status'];
    const place = { namespace: lab.network.pc, uid, cwd: trap.folder };
    assert.equal((await run(place, [...argv, '--runtime-dir', path.join(running.folder, 'run')])).code, 0);
  }
  await running.stop();
  daemon = undefined;
  assert.equal(trap.sprung(), false);
  // The supervisor's own coverage is what node does for whoever may set root's environment; nothing else is written.
  assert.deepEqual(
    readdirSync(trap.folder)
      .filter((name) => name !== 'coverage')
      .sort(),
    before,
  );
});

test('a daemon, and a command, whose own folder was taken away work all the same', async () => {
  const gone = path.join(lab.folder, 'gone');
  const wrap = ['sh', '-c', `mkdir -p ${gone} && cd ${gone} && rmdir ${gone} && exec "$@"`, 'sh'];
  const { program, folder } = await startDaemonHere('gone', wrap);
  const main = path.join(program, 'dist/daemon/main.js');
  const argv = [process.execPath, main, 'status', '--runtime-dir', path.join(folder, 'run')];
  const finished = await run({ namespace: lab.network.pc }, [...wrap, ...argv]);
  assert.deepEqual([finished.code, finished.stderr], [0, '']);
});

/** Control and direction characters; a line end is one too. */
const hostile =
  '\u001b[2J\u001b]0;owned\u0007\u202e\u2066\u009b31m\r\n2026-01-01 00:00:00 info  FORGED\n{"level":"info"}';
const unseen = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** A server with that certificate at one address, and one without TLS that says such things at another. */
async function startHostileServers(): Promise<{ readonly tls: string; readonly clear: string }> {
  const [tls, clear] = [lab.network.nextAddress().ipv4, lab.network.nextAddress().ipv4];
  const folder = path.join(lab.folder, 'hostile');
  mkdirSync(folder);
  const [key, certificate] = [path.join(folder, 'key'), path.join(folder, 'certificate')];
  const subject = hostile.replaceAll('/', '').replaceAll('\n', ' ').slice(0, 60);
  await must({}, [
    ...[
      'openssl',
      'req',
      '-x509',
      '-utf8',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
    ],
    ...['-days', '30', '-subj', `/CN=${subject}/O=${subject}`],
  ]);
  const bytes = String.raw`\x1b[2J\x9b31m\xe2\x80\xae\x07\x00FORGED`;
  const options = {
    ...{ port: 21, middle: false, key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') },
    scripts: {
      [tls]: `S: 220 hello ${bytes}\nC: AUTH\nS: 234 go ${bytes}\ntls\nhold`,
      [clear]: `S: 220 hello ${bytes}\n${`C: AUTH\nS: 500 no ${bytes}\n`.repeat(3)}hold`,
    },
  };
  const program = fileURLToPath(new URL('./hostile/hostile-main.js', import.meta.url));
  const server = start({ namespace: lab.network.srv }, [process.execPath, program, JSON.stringify(options)]);
  others.push(server);
  await waitFor('the hostile servers', () => server.stdout().includes('ready'));
  return { tls, clear };
}

test('no name that others choose moves a terminal, hides a line or forges one', async () => {
  const { tls, clear } = await startHostileServers();
  const here = await startDaemonHere('names');
  // The program's own name, its words, the name that it gives itself, and its login are all the stranger's.
  const program = path.join(lab.folder, `ftp${hostile.replaceAll('/', '')}`.slice(0, 200));
  copyFileSync('/bin/bash', program);
  chmodSync(program, 0o755);
  const script = `exec 3<>/dev/tcp/$1/21; printf 'USER %s\\r\\n' "$2" >&3; cat <&3`;
  for (const server of [tls, clear]) {
    const argv = [program, '-c', script, hostile, server, hostile.replaceAll('\n', ' ')];
    others.push(start({ namespace: lab.network.pc, uid: clientUid }, argv));
  }
  await waitFor(
    () => `two questions: ${here.log()} ${others.map((one) => one.stdout() + one.stderr()).join(' ')}`,
    async () => (await questions(here)).length === 2,
  );
  const commands = ['status', 'sessions', 'prompts', 'log', 'keys list'];
  for (const text of commands) {
    for (const json of [[], ['--json']]) {
      const words: readonly string[] = [...text.split(' '), ...json];
      const { code, stdout, stderr } = await here.cli(words);
      assert.deepEqual([code, stderr], [0, ''], words.join(' '));
      assert.doesNotMatch(stdout, unseen, words.join(' '));
      assert.doesNotMatch(stdout, /^(?:2026-01-01|\{"level":"info"\})/m, words.join(' '));
    }
  }
  const asked = (await here.cli(['prompts'])).stdout;
  for (const word of ['Certificate', 'Server said', 'Program', 'FORGED'])
    assert.ok(asked.includes(word), asked);
  const log = readFileSync(path.join(here.folder, 'state/log/ftpseal.log'), 'utf8');
  for (const line of log.trimEnd().split('\n')) {
    assert.ok(typeof JSON.parse(line) === 'object' && line.includes('"pid"'), line);
    assert.doesNotMatch(line, unseen);
  }
  assert.doesNotMatch(here.log(), unseen);
  assert.equal(statSync(program).isFile(), true);
});
