// A hostile host in the middle, with genuine servers behind it: what it drops, doubles, delays, adds and cuts ends in a clear line at
// the client or in nothing at all, and never in a clear login or a false success.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { clientUid, login } from '../harness/account.js';
import { must, start, waitFor, type Running } from '../harness/command.js';
import { acceptNew, startDaemon, type Daemon } from '../harness/ftpseal.js';
import { openLab, type Lab } from '../harness/lab.js';
import { content } from '../harness/payload.js';
import type { LabServer, ServerKind } from '../harness/server.js';
import { proftpd13 } from '../servers/proftpd.js';
import { pureFtpdTls } from '../servers/pure-ftpd.js';
import { vsftpdTls } from '../servers/vsftpd.js';
import { place } from '../show/ground.js';
import { Talker } from '../show/talker.js';

const program = fileURLToPath(new URL('./hostile-main.js', import.meta.url));
const port = 9021;

interface MiddleCase {
  readonly name: string;
  readonly script: string;
  readonly sees: RegExp;
  /** vsftpd where nothing is said. */
  readonly server?: ServerKind;
}

const MALLORY = 'USER mallory\\r\\nPASS mallory\\r\\n';
const FAILED = /421 ftpseal: /;
const WORKED = /^220 [^\r\n]*\r\n331 [^\r\n]*\r\n230 [^\r\n]*\r\n257 [^\r\n]*\r\n$/;
/** The login works, every answer in its place; or it ends, by whoever's word. */
const EITHER =
  /^(?:220[ -][^\r\n]*\r\n)+(?:331 [^\r\n]*\r\n230 [^\r\n]*\r\n257 [^\r\n]*\r\n|(?:421[ -][^\r\n]*\r\n)+)?$/;

/** Towards the server: what is added in clear must not be done, or answered, under protection. */
const TOWARDS_SERVERS: readonly MiddleCase[] = [vsftpdTls, proftpd13, pureFtpdTls].flatMap((server) => [
  {
    name: `a login added behind AUTH, to ${server.name}`,
    script: `until C: AUTH\nforge ${MALLORY}\nrelay`,
    sees: EITHER,
    server,
  },
  {
    name: `a login added in front of AUTH, to ${server.name}`,
    script: `until S: 220\nforge ${MALLORY}\nrelay`,
    sees: EITHER,
    server,
  },
  {
    name: `a NOOP added behind AUTH, to ${server.name}`,
    script: 'until C: AUTH\nforge NOOP\\r\\n\nrelay',
    sees: EITHER,
    server,
  },
]);

const BARE_CR = 'a login behind a bare CR in the greeting';
const CASES: readonly MiddleCase[] = [
  {
    name: BARE_CR,
    script: 'swallow S: 220\nS: 220 hi\\r331 forged\\r230 forged\\r257 "/forged"\nrelay',
    sees: WORKED,
  },
  { name: 'nothing', script: 'relay', sees: WORKED },
  {
    name: 'a delay of a second before and behind the 234',
    script: 'until C: AUTH\nwait 1000\nuntil S: 234\nwait 1000\nrelay',
    sees: WORKED,
  },
  { name: 'the greeting twice', script: 'twice S: 220\nrelay', sees: WORKED },
  {
    name: 'the greeting a second time, behind AUTH',
    script: 'until S: 220\nuntil C: AUTH\nS: 220 again\nrelay',
    sees: FAILED,
  },
  { name: 'AUTH twice', script: 'twice C: AUTH\nrelay', sees: FAILED },
  { name: 'the 234 twice', script: 'twice S: 234\nrelay', sees: FAILED },
  {
    name: 'a login injected behind the greeting',
    // In one packet: what comes behind AUTH is taken for its answer.
    script: 'swallow S: 220\nS. 220 hi\\r\\n331 forged\\r\\n230 forged\\r\\n257 "/forged"\\r\\n\nrelay',
    sees: WORKED,
  },
  {
    name: 'a login injected behind the 234',
    script: 'until S: 234\nS: 331 forged\nS: 230 forged\nrelay',
    sees: FAILED,
  },
  { name: 'a byte inside TLS', script: 'until S: 234\nbytes 1800\nS. x\nrelay', sees: FAILED },
  {
    name: 'the greeting dropped, another in its place',
    script: 'swallow S: 220\nS: 230 forged\nrelay',
    sees: /^230 forged\r\n331 [^\r\n]*\r\n230 [^\r\n]*\r\n257 /,
  },
  {
    name: 'a reset behind the greeting',
    script: 'until S: 220\nreset',
    sees: /^220 [^\r\n]*\r\n(?:421 ftpseal: [^\r\n]+\r\n)?$/,
  },
  { name: 'a reset at AUTH', script: 'until C: AUTH\nreset', sees: FAILED },
  { name: 'a reset behind the 234', script: 'until S: 234\nreset', sees: FAILED },
  { name: 'a reset in the handshake', script: 'until S: 234\nbytes 500\nreset', sees: FAILED },
  { name: 'an end in the handshake', script: 'until S: 234\nbytes 500\nshut', sees: FAILED },
  {
    name: 'an end inside TLS, cut off without a word',
    script: 'until S: 234\nbytes 1800\nshut',
    sees: FAILED,
  },
  ...TOWARDS_SERVERS,
];

let lab: Lab;
let daemon: Daemon;
let middle: Running;
let person: Talker;
const servers = new Map<string, LabServer>();

before(async () => {
  lab = await openLab({ third: true });
  for (const { name, server } of CASES) servers.set(name, await lab.server(server ?? vsftpdTls));
  for (const server of servers.values()) place(server, 'f', content(1000, 1));
  const mitm = lab.network.mitm ?? '';
  const { key, certificate } = await lab.certificate('middle');
  const scripts = Object.fromEntries(
    CASES.map(({ name, script }) => [servers.get(name)?.address.ipv4 ?? '', script]),
  );
  const options = {
    port,
    middle: true,
    key: readFileSync(key, 'utf8'),
    cert: readFileSync(certificate, 'utf8'),
    scripts,
  };
  middle = start({ namespace: mitm }, [process.execPath, program, JSON.stringify(options)]);
  await waitFor(
    () => `the middle: ${middle.stderr()}`,
    () => middle.stdout().includes('ready'),
  );
  const chain = `type nat hook prerouting priority dstnat; iifname "eth0-21" meta l4proto tcp redirect to :${port}`;
  await must({ namespace: mitm }, ['nft', `table inet middle { chain pre { ${chain}; }; }`]);
  daemon = await startDaemon(lab, 'hostile-m', `${acceptNew}[fallback]\ncleartext = "refuse"\n`);
  person = new Talker({ namespace: lab.network.pc, uid: clientUid });
});

after(async () => {
  await person.stop();
  await daemon.stop();
  await middle.stop();
  await lab.close();
});

for (const { name, sees } of CASES) {
  test(`the middle: ${name} (T01, T07)`, async () => {
    const seen = await logIn(servers.get(name)?.address.ipv4 ?? '');
    console.log(`middle: ${name}: ${JSON.stringify(seen)}`);
    assert.match(seen, sees);
    // A greeting is anybody's to forge; what stands behind protection is not.
    assert.doesNotMatch(seen.replace(/^(?:230 forged|220 hi .*)\r\n/, ''), /forged|mallory/);
  });
}

test('the middle: replies behind a bare CR in the greeting, to Python’s ftplib (T01)', async () => {
  const host = servers.get(BARE_CR)?.address.ipv4 ?? '';
  const program = [
    'import ftplib, sys',
    'ftp = ftplib.FTP(sys.argv[1], timeout=30)',
    'print(ftp.login(sys.argv[2], sys.argv[3]))',
    'print(ftp.pwd())',
  ].join('\n');
  const argv = ['/usr/bin/python3', '-c', program, host, login.user, login.password];
  const said = await must({ namespace: lab.network.pc, uid: clientUid }, argv);
  console.log(`middle: ftplib: ${JSON.stringify(said)}`);
  assert.match(said, /^230 [^]*\/home\n$/);
  assert.doesNotMatch(said, /forged/);
});

/** Says the whole login and PWD, each line when the last one was answered; all that came back. */
async function logIn(host: string): Promise<string> {
  const { connection } = await person.connect(host, 21);
  let seen = '';
  const read = async (): Promise<boolean> => {
    for (;;) {
      const { text, end } = await person.line(connection, 75);
      seen += text;
      if (end !== undefined) return false;
      if (/^[0-9]{3} /.test(text)) return !text.startsWith('421');
    }
  };
  let goesOn = await read();
  for (const line of [`USER ${login.user}`, `PASS ${login.password}`, 'PWD']) {
    if (!goesOn) break;
    await person.send(connection, `${line}\r\n`);
    goesOn = await read();
  }
  await person.close(connection, 'by reset').catch(() => undefined);
  return seen;
}
