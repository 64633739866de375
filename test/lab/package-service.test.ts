// The package on a clean Debian 12 that runs with systemd: it secures a session with one question, keeps to what its unit says,
// and is upgraded while a session is open.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before } from 'node:test';
import { build } from 'esbuild';
import { z } from 'zod';
import { openQuestionSchema, statusSchema, type Status } from '../../shared/ipc-messages.js';
import { clientUid, login } from './harness/account.js';
import { capture } from './harness/capture.js';
import { run, start, waitFor, type Running } from './harness/command.js';
import { box, openBehind } from './gateway/ground.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import { repository, type LabServer } from './harness/server.js';
import { bootMachine, type Machine } from './package/machine.js';
import { containerObstacle, testUnless } from './package/obstacle.js';
import { bothVersions, debName, versions } from './package/packages.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { FtpTalk } from './show/ftp-talk.js';
import { digest, place } from './show/ground.js';
import { Talker } from './show/talker.js';

const file = content(200_000);
const secrets = [
  { name: 'password', bytes: Buffer.from(login.password) },
  // A server that wants TLS refuses this, and no password follows.
  { name: 'login', bytes: Buffer.from(`USER ${login.user}`) },
  { name: 'file', bytes: marker },
];

const obstacle = await containerObstacle();
const test = testUnless(obstacle);

let lab: Lab;
let server: LabServer;
let machine: Machine;
let opened: Machine | undefined;

before(async () => {
  if (obstacle !== undefined) return;
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  place(server, 'hello.bin', file);
  const packages = await bothVersions();
  machine = await bootMachine(path.join(lab.folder, 'machine'), lab.network.pc);
  opened = machine;
  for (const name of versions.map(debName)) machine.put(path.join(packages, name), `/root/${name}`);
});

after(async () => {
  if (obstacle !== undefined) return;
  await opened?.close();
  await lab.close();
});

/** The log's way to the journal as one file: where the program is installed it has none of its own. */
async function journalAlone(): Promise<string> {
  const outfile = path.join(lab.folder, 'journal-alone.js');
  const module = path.join(repository, 'dist/daemon/sys/journal.js');
  const external = ['koffi'];
  await build({ entryPoints: [module], outfile, external, bundle: true, format: 'esm', platform: 'node' });
  return outfile;
}

/** Undefined while nobody answers. */
async function status(): Promise<Status | undefined> {
  const asked = await machine.run(['ftpseal', 'status', '--json']);
  return asked.code === 0 ? statusSchema.parse(JSON.parse(asked.stdout)) : undefined;
}

async function ready(version: string): Promise<void> {
  let journal = '';
  await waitFor(
    () => `version ${version} to be ready: ${journal}`,
    async () => {
      const now = await status();
      if (now?.version === version && now.redirect.kind === 'active') return true;
      journal = (await machine.run(['journalctl', '--unit=ftpseal', '--lines=40'])).stdout;
      return false;
    },
    30_000,
  );
}

async function questions(): Promise<readonly z.infer<typeof openQuestionSchema>[]> {
  const answer = await machine.must(['ftpseal', 'prompts', '--json'], clientUid);
  return z.object({ questions: z.array(openQuestionSchema) }).parse(JSON.parse(answer)).questions;
}

/** A program that knows nothing of ftpseal. */
function curl(from = server) {
  const url = `ftp://${from.address.ipv4}/hello.bin`;
  const command = ['curl', '--silent', '--show-error', '--user', `${login.user}:${login.password}`, url];
  return run({ namespace: lab.network.pc, uid: clientUid }, [...command, '--output', '-']);
}

/** Connects and logs in again and again; says how often it was refused. */
function knock(): Running {
  const code = `
import ftplib, sys
while True:
    try:
        with ftplib.FTP('${server.address.ipv4}', timeout=5) as ftp: ftp.login('${login.user}', '${login.password}')
    except OSError as error:
        print('refused' if error.errno == 111 else error, flush=True)
    except (EOFError, ftplib.Error): pass
`;
  return start({ namespace: lab.network.pc, uid: clientUid }, ['python3', '-c', code]);
}

async function supervisor(): Promise<number> {
  const shown = await machine.must(['systemctl', 'show', '--property=MainPID', '--value', 'ftpseal.service']);
  return Number(shown);
}

/** A line of /proc/<pid>/status inside the machine. */
async function statusLine(pid: number, name: string): Promise<string> {
  const text = await machine.must(['cat', `/proc/${pid}/status`]);
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
}

test('installed without network it runs, and secures a session with one question', async () => {
  await machine.must(['dpkg', '--install', `/root/${debName('0.1.0')}`]);
  await ready('0.1.0');
  const wire = await capture(lab.network.srv, path.join(lab.folder, 'first.pcap'), [server.address.ipv4]);
  const first = curl();
  await waitFor('one question', async () => (await questions()).length === 1);
  const [question] = await questions();
  const answered = ['ftpseal', 'prompts', '--answer', question?.id ?? '', 'trust'];
  assert.match(await machine.must(answered, clientUid), /1 session\(s\) go on/);
  const got = await first;
  assert.equal(got.code, 0, got.stderr);
  assert.equal(got.stdout.length > 0, true);
  const second = await curl();
  assert.equal(second.code, 0, second.stderr);
  assert.deepEqual(await questions(), []);
  const seen = await wire.finish(secrets);
  assert.ok(seen.flows.length >= 4, `${seen.flows.length} connections`);
  assert.deepEqual([...seen.sightings.values()].flat(), []);
});

test('the capability and nothing else, the proxy none, and no state for others', async () => {
  const main = await supervisor();
  const proxy = (await status())?.pid ?? 0;
  const rights = async (pid: number) => ({
    root: (await statusLine(pid, 'Uid')).split('\t').includes('0'),
    effective: await statusLine(pid, 'CapEff'),
    permitted: await statusLine(pid, 'CapPrm'),
    bounding: await statusLine(pid, 'CapBnd'),
    noNewPrivileges: await statusLine(pid, 'NoNewPrivs'),
    filtered: await statusLine(pid, 'Seccomp'),
  });
  const netAdmin = '0000000000001000';
  const none = '0000000000000000';
  const common = { root: false, bounding: netAdmin, noNewPrivileges: '1', filtered: '2' };
  assert.deepEqual(await rights(main), { ...common, effective: netAdmin, permitted: netAdmin });
  assert.deepEqual(await rights(proxy), { ...common, effective: none, permitted: none });
  const open = ['find', '/var/lib/ftpseal', '/run/ftpseal', '-type', 'f', '-perm', '/077'];
  assert.equal(await machine.must(open), '');
  assert.equal((await machine.run(['ls', '/var/lib/ftpseal'], clientUid)).code, 2);
  // The same uid, but no way into the one that has the capability.
  const intoIt = ['cat', `/proc/${main}/environ`, `/proc/${main}/mem`];
  const user = Number((await statusLine(main, 'Uid')).split('\t')[0]);
  assert.match(
    (await machine.run(intoIt, user)).stderr,
    /environ: Permission denied[^]*mem: Permission denied/,
  );
});

test('the journal has supervisor and proxy with fields, and no server’s text forges an entry', async () => {
  const entries = async (unit: string) => {
    const text = await machine.must(['journalctl', `--unit=${unit}`, '--output=json', '--no-pager']);
    const lines = text
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    return lines.map((line) => z.looseObject({ MESSAGE: z.string().catch('') }).parse(JSON.parse(line)));
  };
  const proxy = String((await status())?.pid ?? 0);
  const own = await entries('ftpseal.service');
  const secured = own.find((one) => one.MESSAGE.startsWith('session secured'));
  assert.equal(secured?.['_PID'], proxy);
  assert.equal(secured['FTPSEAL_SERVER'], server.address.ipv4);
  assert.deepEqual([secured['PRIORITY'], secured['SYSLOG_IDENTIFIER']], ['6', 'ftpseal']);
  assert.equal(secured['FTPSEAL_UID'], String(clientUid));
  const main = String(await supervisor());
  assert.ok(
    own.some((one) => one['_PID'] === main && one['FTPSEAL_WORKERS'] !== undefined),
    'the supervisor’s own',
  );
  machine.put(await journalAlone(), '/usr/lib/ftpseal/journal-alone.js');
  const forge = `
    const { openJournal } = await import('/usr/lib/ftpseal/journal-alone.js');
    const text = 'x\\nPRIORITY=0\\nMESSAGE=forged\\n\\nMESSAGE=forged';
    if (!openJournal()('info', text, { reason: text })) process.exit(1);`;
  const unit = '[Service]\nType=oneshot\nExecStart=/usr/lib/ftpseal/bin/node /root/forge.mjs\n';
  const place = 'printf %s "$1" > /root/forge.mjs && printf %s "$2" > /run/systemd/system/forge.service';
  await machine.must(['sh', '-c', `${place} && systemctl start forge.service`, 'sh', forge, unit]);
  await machine.must(['rm', '/usr/lib/ftpseal/journal-alone.js']);
  await machine.must(['journalctl', '--sync']);
  const forged = (await entries('forge.service')).filter((one) => one['SYSLOG_IDENTIFIER'] === 'ftpseal');
  assert.deepEqual(
    forged.map((one) => [one['PRIORITY'], one.MESSAGE]),
    [
      [
        '6',
        'x PRIORITY=0 MESSAGE=forged MESSAGE=forged reason="x\\nPRIORITY=0\\nMESSAGE=forged\\n\\nMESSAGE=forged"',
      ],
    ],
  );
});

test('keys.d: what the administrator puts there counts for everybody, is reloaded, and stops the other key', async () => {
  const own = await machine.must(['ftpseal', 'keys', 'export'], clientUid);
  const file = '/etc/ftpseal/keys.d/fleet.json';
  const write = (text: string, mode = '644') =>
    machine.must([
      'sh',
      '-c',
      `printf %s "$1" > ${file} && chmod ${mode} ${file} && systemctl reload ftpseal`,
      'sh',
      text,
    ]);
  const listed = async () => machine.must(['ftpseal', 'keys', 'list'], clientUid);
  const shows = (words: RegExp) =>
    waitFor(
      () => `keys.d to show ${words.source}`,
      async () => words.test(JSON.stringify(await status())),
    );
  await write(own);
  await shows(/"keys":1/);
  assert.match(await listed(), /by the administrator/);
  assert.equal((await curl()).code, 0);
  const removed = await machine.run(['ftpseal', 'keys', 'remove', server.address.ipv4], clientUid + 1);
  assert.equal(removed.code, 4, removed.stdout);
  assert.match(removed.stderr, /given by the administrator.*fleet\.json/);
  await write(own.replaceAll(/SHA256:[A-Za-z0-9+/]{43}/g, `SHA256:${'A'.repeat(43)}`));
  await waitFor('the other key to be refused', async () => (await curl()).code !== 0);
  assert.deepEqual(await questions(), []);
  assert.equal((await machine.run(['ftpseal', 'status', '--check'])).code, 0);
  await write('{', '666');
  await shows(/fleet\.json can be changed by others/);
  assert.notEqual((await curl()).code, 0, 'what was read before stays in force');
  assert.equal((await machine.run(['ftpseal', 'status', '--check'])).code, 6);
  const doctor = await machine.run(['ftpseal', 'doctor']);
  assert.match(doctor.stdout, /FAIL +keys\.d .*fleet\.json can be changed by others/);
  await machine.must(['rm', file]);
  await shows(/"keys":0,"troubles":\[\]/);
  assert.equal((await curl()).code, 0);
});

test('numbers for monitoring, for root and nobody else', async () => {
  const ask = `require('http').get({ socketPath: '/run/ftpseal/metrics.sock', path: '/metrics' }, (r) => r.pipe(process.stdout))`;
  const argv = ['/usr/lib/ftpseal/bin/node', '-e', ask];
  assert.match(await machine.must(argv), /^ftpseal_securing 1$/m);
  assert.match(await machine.must(argv, clientUid), /Only root/);
});

test('with two more capabilities questions name the program', async (t) => {
  const other = await lab.server(vsftpdTls);
  const more = 'CAP_NET_ADMIN CAP_SYS_PTRACE CAP_DAC_READ_SEARCH';
  const lines = [
    '[Service]',
    `AmbientCapabilities=${more}`,
    `CapabilityBoundingSet=${more}`,
    'ProtectProc=default',
  ];
  const folder = '/run/systemd/system/ftpseal.service.d';
  await machine.must(['sh', '-c', 'mkdir "$0" && echo "$1" > "$0/names.conf"', folder, lines.join('\n')]);
  const ask = async (): Promise<string | undefined> => {
    // In the machine itself: a program elsewhere has no name there.
    const greet = `require('net').connect(21, '${other.address.ipv4}').on('close', () => process.exit()).once('data', function () { this.write('USER x\\r\\n'); this.resume(); })`;
    const asked = machine.run(['/usr/lib/ftpseal/bin/node', '-e', greet], clientUid);
    await waitFor('a question', async () => (await questions()).length === 1);
    const [question] = await questions();
    await machine.must(['ftpseal', 'prompts', '--answer', question?.id ?? '', 'refuse'], clientUid);
    await asked;
    return question?.program;
  };
  assert.equal(await ask(), undefined);
  t.after(async () => {
    await machine.must([
      'sh',
      '-c',
      'rm -r "$0" && systemctl daemon-reload && systemctl restart ftpseal',
      folder,
    ]);
    await ready('0.1.0');
  });
  await machine.must(['sh', '-c', 'systemctl daemon-reload && systemctl restart ftpseal']);
  await ready('0.1.0');
  assert.equal(await ask(), 'node');
});

test('what the unit forbids is refused', async () => {
  const unit = await machine.must(['cat', '/usr/lib/systemd/system/ftpseal.service']);
  const probe = unit
    .replace(/^ExecStart=.*$/m, 'ExecStart=/usr/lib/ftpseal/bin/node /usr/share/probe.mjs')
    .replace(/^ExecStopPost=.*$/m, '')
    .replace(/^Type=.*$/m, 'Type=oneshot')
    .replace(/^Restart.*$/gm, '')
    .replace(/^(RuntimeDirectory|StateDirectory)=ftpseal$/gm, '$1=ftpseal-probe')
    .replace(/^NoExecPaths=.*$/m, (line) => line.replaceAll('/ftpseal', '/ftpseal-probe'));
  await machine.must(['sh', '-c', 'echo "$1" > /run/systemd/system/ftpseal-probe.service', 'sh', probe]);
  await machine.must(['sh', '-c', 'mkdir -p /home/person && touch /home/person/file /tmp/somebodys']);
  machine.put(path.join(repository, 'test/lab/package/hardening-probe.mjs'), '/usr/share/probe.mjs');
  await machine.must(['systemctl', 'daemon-reload']);
  const started = await machine.run(['systemctl', 'start', 'ftpseal-probe']);
  const journal = (await machine.run(['journalctl', '--unit=ftpseal-probe', '--lines=30'])).stdout;
  assert.equal(started.code, 0, journal);
  const found: unknown = JSON.parse(await machine.must(['cat', '/var/lib/ftpseal-probe/found.json']));
  assert.deepEqual(found, {
    'write below /etc': 'EROFS',
    'write into the program': 'EROFS',
    'write below /var': 'EROFS',
    'write its own state': 'done',
    'look into /root': 'EACCES',
    'look into /home/person': 'EACCES',
    'see the /tmp of others': 'empty',
    'see processes of others': 'ENOENT',
    'make a set-uid file': 'EPERM',
    'execute a file that it wrote': 'EACCES',
    'a raw packet socket': 'EAFNOSUPPORT',
    'a user namespace': 'EPERM',
    'a mount': 'EPERM',
    'another root': 'EPERM',
    'another uid': 'EPERM',
    'kernel log': 'ENOENT',
    'a tun device': 'ENOENT',
    'a kernel setting': 'EROFS',
    'redirect rules': 'done',
    'core size': '0 0',
  });
});

test('systemd’s own count of what a break-in would reach stays low', async (t) => {
  const options = ['--no-pager', '--offline=true'];
  const unit = '/usr/lib/systemd/system/ftpseal.service';
  const said = await machine.must(['systemd-analyze', 'security', ...options, unit]);
  const exposure = Number(/Overall exposure level for ftpseal.service: ([0-9.]+)/.exec(said)?.[1]);
  t.diagnostic(`systemd-analyze security: ${exposure}`);
  assert.ok(exposure <= 1.9, `${exposure}`);
});

test('upgraded while a session is open: it goes on, nothing leaves in clear, then the new version takes over', async () => {
  const person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  const wire = await capture(lab.network.srv, path.join(lab.folder, 'upgrade.pcap'), [server.address.ipv4]);
  const talk = await FtpTalk.open(person, server.address.ipv4);
  await talk.login();
  const before = await supervisor();
  await machine.must(['dpkg', '--install', `/root/${debName('0.2.0')}`]);
  const fetched = await talk.fetch('EPSV', 'RETR hello.bin');
  assert.deepEqual([fetched.final.code, fetched.sha256], [226, digest(file)]);
  assert.equal(await supervisor(), before, 'the old one works on');
  const late = await curl();
  assert.equal(late.code, 0, late.stderr);
  await talk.expect(221, 'QUIT');
  // A program that never gives up, in the time between the two: it is secured, or refused.
  const stubborn = knock();
  await ready('0.2.0');
  await stubborn.stop();
  assert.match(stubborn.stdout(), /refused/, 'somebody knocked between the two');
  const now = await curl();
  assert.equal(now.code, 0, now.stderr);
  assert.notEqual(await supervisor(), before);
  const seen = await wire.finish(secrets);
  assert.deepEqual([...seen.sightings.values()].flat(), []);
  await person.stop();
});

test('a gateway under this unit: a device behind it is refused once, trusted by root, and then secured', async () => {
  const device = `fs-probe-${process.pid}`;
  await openBehind(lab.network.pc, device);
  const config = '[divert]\nforwarded = true\n';
  const script = 'echo "$0" > /etc/ftpseal/config.toml && systemctl restart ftpseal';
  await machine.must(['sh', '-c', script, config]);
  await ready('0.2.0');
  const account = `${login.user}:${login.password}`;
  const fetch = (...active: readonly string[]) => {
    const command = ['curl', '-sS', '-o', '-', ...active, '--user', account];
    return run({ namespace: device, uid: clientUid }, [...command, `ftp://${server.address.ipv4}/hello.bin`]);
  };
  assert.equal((await fetch()).code, 28, 'curl’s word for 421');
  const asked = z.object({ questions: z.array(openQuestionSchema) });
  const { questions: open } = asked.parse(JSON.parse(await machine.must(['ftpseal', 'prompts', '--json'])));
  assert.equal(open[0]?.connection.client.address, box.ipv4);
  await machine.must(['ftpseal', 'prompts', '--answer', open[0].id, 'trust']);
  for (const active of [[], ['--ftp-port', '-']]) {
    const got = await fetch(...active);
    assert.equal(got.code, 0, got.stderr);
  }
  await run({}, ['ip', 'netns', 'del', device]);
});

test('killed, it comes back by itself', async () => {
  await machine.must(['systemctl', 'kill', '--signal=KILL', 'ftpseal']);
  await waitFor(
    'a new start',
    async () =>
      (await machine.must(['systemctl', 'show', '--property=NRestarts', '--value', 'ftpseal'])).trim() !==
      '0',
  );
  await ready('0.2.0');
  assert.equal((await curl()).code, 0);
});

test('killed for good with on_failure = "closed", it leaves FTP refused, whatever systemd runs afterwards', async () => {
  const config = '[divert]\non_failure = "closed"\n';
  const script = `
    echo "$0" > /etc/ftpseal/config.toml
    mkdir /run/systemd/system/ftpseal.service.d
    printf '[Service]\nRestart=no\n' > /run/systemd/system/ftpseal.service.d/once.conf
    systemctl daemon-reload && systemctl restart ftpseal`;
  await machine.must(['sh', '-c', script, config]);
  await ready('0.2.0');
  await machine.must(['systemctl', 'kill', '--signal=KILL', 'ftpseal']);
  const state = ['systemctl', 'show', '--property=ActiveState', '--value', 'ftpseal'];
  await waitFor('its end', async () => (await machine.must(state)).trim() === 'failed');
  assert.equal((await curl()).code, 7, 'curl could not connect');
  await machine.must(['systemctl', 'start', 'ftpseal']);
  await ready('0.2.0');
  assert.equal((await curl()).code, 0);
});

test('removed and purged while it runs, nothing of it is left', async () => {
  await machine.must(['dpkg', '--remove', 'ftpseal']);
  assert.equal(await machine.must(['nft', 'list', 'tables']), '');
  assert.equal((await machine.run(['systemctl', 'is-active', 'ftpseal'])).stdout.trim(), 'inactive');
  await machine.must(['dpkg', '--purge', 'ftpseal']);
  const left = await machine.must(['find', '/', '-xdev', '-name', '*ftpseal*', '-not', '-name', '*.deb']);
  assert.deepEqual(
    left.split('\n').filter((name) => !name.includes('ftpseal-probe') && name !== ''),
    [],
  );
  assert.equal((await machine.run(['getent', 'passwd', 'ftpseal'])).code, 2);
});
