// Hostile servers: each ends in a clear line at the client, nothing secret leaves, and the daemon's memory stays bounded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { clientUid } from '../harness/account.js';
import { run, start, waitFor, type Running } from '../harness/command.js';
import { acceptNew, startDaemon, type Daemon } from '../harness/ftpseal.js';
import { openLab, type Lab } from '../harness/lab.js';
import { Talker } from '../show/talker.js';
import { CASES, type HostileCase } from './cases.js';
import { MemoryWatch } from './memory-watch.js';

const program = fileURLToPath(new URL('./hostile-main.js', import.meta.url));
/** All cases together may cost this much; a single flood alone is four times as long. */
const MEMORY_MAX = 256 * 1024 * 1024;

let lab: Lab;
let daemon: Daemon;
let server: Running;
let person: Talker;
let memory: MemoryWatch;
const addresses = new Map<string, string>();

before(async () => {
  lab = await openLab();
  for (const { name } of CASES) addresses.set(name, lab.network.nextAddress().ipv4);
  const { key, certificate } = await lab.certificate('hostile');
  const scripts = Object.fromEntries(CASES.map(({ name, script }) => [addresses.get(name) ?? '', script]));
  const options = {
    port: 21,
    middle: false,
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(certificate, 'utf8'),
    scripts,
  };
  server = start({ namespace: lab.network.srv }, [process.execPath, program, JSON.stringify(options)]);
  await waitFor(
    () => `the hostile server: ${server.stderr()}`,
    () => server.stdout().includes('ready'),
  );
  daemon = await startDaemon(lab, 'hostile', `${acceptNew}[fallback]\ncleartext = "refuse"\n`);
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
  memory = new MemoryWatch(daemon.pid);
});

after(async () => {
  memory.stop();
  await person.stop();
  await daemon.stop();
  await server.stop();
  await lab.close();
});

test('hostile servers, all at once', { concurrency: true }, async (t) => {
  await Promise.all(
    CASES.map((each) =>
      t.test(each.name, async () => {
        const seen = await (each.program === undefined ? meet(each) : meetProgram(each, each.program));
        console.log(`hostile: ${each.name}: ${JSON.stringify(seen.slice(-160))}`);
        assert.match(seen, each.sees);
      }),
    ),
  );
});

test('no password left in clear, and none to a peer without TLS', () => {
  const heard = server
    .stdout()
    .split('\n')
    .filter((line) => line.includes('heard PASS'));
  const encrypted = [...addresses].filter(([name]) =>
    CASES.some((each) => each.name === name && each.script.includes('tls')),
  );
  for (const line of heard)
    assert.ok(
      encrypted.some(([, address]) => line.includes(` ${address} `)),
      line,
    );
});

test('the daemon’s memory stays bounded, and comes back (T54)', async () => {
  const { before: first, most } = memory.sizes();
  console.log(`hostile: memory ${mebibytes(first)} MiB before, ${mebibytes(most)} MiB at most`);
  assert.ok(most - first < MEMORY_MAX, `${mebibytes(most - first)} MiB more`);
  const status = await daemon.cli(['status', '--json']);
  assert.equal(status.code, 0, status.stderr);
});

/** All that a program said that was made to meet it, each line with its CR. */
async function meetProgram({ name }: HostileCase, argv: readonly string[]): Promise<string> {
  const url = `ftp://${addresses.get(name) ?? ''}/${argv.at(-1) ?? ''}`;
  const place = { namespace: lab.network.pc, uid: clientUid };
  const { code, stdout, stderr } = await run(place, [...argv.slice(0, -1), url], { timeoutMs: 110_000 });
  assert.notEqual(code, 0, stderr);
  return stdout + stderr;
}

/** All that the client got. A line of the talk with `=` waits for a minute, one with `*` is said a hundred thousand times. */
async function meet({ name, talk, deafMs }: HostileCase): Promise<string> {
  const { connection } = await person.connect(addresses.get(name) ?? '', 21);
  let seen = '';
  const state = { ended: false };
  const read = async (): Promise<void> => {
    for (;;) {
      const { text, end } = await person.line(connection, 75);
      seen += text;
      state.ended ||= end !== undefined;
      if (end !== undefined || /^[0-9]{3} /.test(text)) return;
    }
  };
  const isPatient = talk.some((line) => line.startsWith('='));
  if (talk.length > 0 && !(isPatient && deafMs === undefined)) await read();
  for (const line of talk) {
    if (state.ended) break;
    const repeated = line.startsWith('*');
    await person
      .send(connection, `${line.replace(/^[=*]/, '')}\r\n`.repeat(repeated ? 3000 : 1))
      .catch(() => undefined);
    if (deafMs === undefined || !/^[=*]/.test(line)) await read();
  }
  // What is said at the end comes without being asked for.
  if (!state.ended && deafMs === undefined) await read();
  if (deafMs !== undefined) await pause(deafMs);
  await person.close(connection, 'by reset').catch(() => undefined);
  return seen;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
