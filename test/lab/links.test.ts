// What the machine does under a running daemon: it sleeps, its clock is set, its network goes and another one comes. The daemon runs
// from a copy of the program in which the limits on silence are seconds and the clock is as far off as a file says; everything else
// is the program.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { must, run, sleep, waitFor } from './harness/command.js';
import { serverDevice } from './harness/network.js';
import { startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { clientUid, login } from './harness/account.js';
import type { LabServer } from './harness/server.js';
import { SessionAgent } from './harness/session-agent.js';
import { stage } from './harness/stage.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { questions, sessions, status } from './show/ground.js';

const day = 86_400_000;

let lab: Lab;
let server: LabServer;
let daemon: Daemon;
let agent: SessionAgent;
let skew: string;

before(async () => {
  lab = await openLab();
  server = await lab.server(vsftpdTls);
  skew = path.join(lab.folder, 'skew');
  writeFileSync(skew, '0');
  const config = '[divert]\nworkers = 1\n[trust]\nunknown = "ask"\nprompt_timeout = "3s"\nstore = "file"\n';
  daemon = await startDaemon(lab, 'links', config, { program: await stageHasty() });
  const pinned = ['keys', 'add', server.address.ipv4, server.certificate.fingerprint];
  assert.equal((await daemon.cli(pinned)).code, 0);
  agent = new SessionAgent(lab);
});

after(async () => {
  await agent.kill();
  await daemon.stop();
  await lab.close();
});

async function stageHasty(): Promise<string> {
  const program = path.join(lab.folder, 'hasty');
  await stage(program, 'unbundled');
  const inDaemon = (name: string) => path.join(program, 'dist/daemon', name);
  const change = (name: string, edit: (text: string) => string): void => {
    const text = readFileSync(inDaemon(name), 'utf8');
    const changed = edit(text);
    assert.notEqual(changed, text, name);
    writeFileSync(inDaemon(name), changed);
  };
  change('relay/silence-limit.js', (text) => text.replace('120_000', '1_000').replace('150_000', '3_000'));
  change('supervisor/proxy-keeper.js', (text) => text.replace('BEAT_MS = 5000', 'BEAT_MS = 100'));
  const clock = [
    "import { readFileSync as readSkew } from 'node:fs';",
    'const realNow = Date.now;',
    `Date.now = () => realNow() + Number(readSkew(${JSON.stringify(skew)}, 'utf8'));`,
    '',
  ].join('\n');
  change('main.js', (text) => text.replace(/^(#!.*\n)?/, (line) => line + clock));
  change('pool/worker.js', (text) => clock + text);
  return program;
}

function logIn(name: string, to = server): Promise<string> {
  return agent.reply({ op: 'open', name, host: to.address.ipv4, login: [login.user, login.password] });
}

function say(name: string): Promise<string> {
  return agent.reply({ op: 'say', name, text: 'NOOP' });
}

test('after a sleep nothing is taken for dead, and what was open goes on', async () => {
  assert.match(await logIn('asleep'), /^230/);
  const { pid } = await status(daemon);
  // Many beats; a real sleep stops the clocks of both as well.
  for (const one of [pid, daemon.pid]) process.kill(one, 'SIGSTOP');
  await sleep(2500);
  for (const one of [daemon.pid, pid]) process.kill(one, 'SIGCONT');
  assert.match(await say('asleep'), /^200/);
  assert.equal((await status(daemon)).pid, pid);
  assert.doesNotMatch(daemon.log(), /does not answer/);
});

test('a clock that jumps by a year, either way: sessions live on, new ones are secured, questions end when they should', async () => {
  for (const [index, jump] of [365 * day, -365 * day].entries()) {
    const other = await lab.server(vsftpdTls);
    const asking = logIn(`asks-${index}`, other);
    await waitFor('a question', async () => (await questions(daemon)).length > 0);
    writeFileSync(skew, String(jump));
    assert.match(await say('asleep'), /^200/);
    assert.match(await logIn(`jumped-${index}`), /^230/);
    assert.match(await asking, /^421 ftpseal: /, 'nobody answered');
    assert.equal((await status(daemon)).redirect.kind, 'active');
    writeFileSync(skew, '0');
  }
});

test('a cable that is out ends its sessions in bounded time, with a word to the program', async () => {
  for (const name of ['asleep', 'jumped-0', 'jumped-1']) await agent.ask({ op: 'close', name });
  for (const name of ['idle', 'speaking']) assert.match(await logIn(name), /^230/);
  const device = ['ip', '-n', lab.network.srv, 'link', 'set', await serverDevice(lab.network.srv)];
  await must({}, [...device, 'down']);
  const over = /^(?:421|closed|reset)/;
  assert.match(await say('speaking'), over);
  await waitFor('the idle one to end', async () => (await sessions(daemon)).length === 0);
  assert.match(await say('idle'), over);
  await must({}, [...device, 'up']);
});

test('the network goes and a VPN comes: old sessions end, new ones work by it, and no rule has changed', async () => {
  const place = { namespace: lab.network.pc };
  const rules = () => must(place, ['nft', '--stateless', 'list', 'chain', 'inet', 'ftpseal', 'out']);
  const pc = ['ip', '-n', lab.network.pc];
  const srv = ['ip', '-n', lab.network.srv];
  assert.match(await logIn('moved'), /^230/);
  const before = await rules();
  const peer = ['peer', 'name', 'vpn0', 'netns', lab.network.srv];
  await must({}, [...pc, 'link', 'add', 'vpn0', 'type', 'veth', ...peer]);
  await must({}, [...srv, 'addr', 'add', '10.99.0.1/24', 'dev', 'vpn0']);
  await must({}, [...srv, 'link', 'set', 'vpn0', 'up']);
  await must({}, [...pc, 'addr', 'flush', 'dev', 'eth0']);
  await must({}, [...pc, 'link', 'set', 'eth0', 'down']);
  await must({}, [...pc, 'addr', 'add', '10.99.0.2/24', 'dev', 'vpn0']);
  await must({}, [...pc, 'link', 'set', 'vpn0', 'up']);
  await must({}, [...pc, 'route', 'add', '10.22.0.0/24', 'via', '10.99.0.1']);
  for (const active of [[], ['--ftp-port', '-']]) {
    const url = `ftp://${login.user}:${login.password}@${server.address.ipv4}/`;
    const listed = await run({ ...place, uid: clientUid }, ['curl', '--silent', ...active, url]);
    assert.equal(listed.code, 0, `${active.join(' ')} ${listed.stderr}`);
  }
  // Its program is not told: its own address has gone, and with it its connection, as without ftpseal.
  await waitFor('the old session to end', async () => (await sessions(daemon)).length === 0);
  await must({}, [...pc, 'link', 'del', 'vpn0']);
  assert.equal((await status(daemon)).redirect.kind, 'active');
  assert.equal(await rules(), before);
});
