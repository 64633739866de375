// A router that secures the FTP of a device which can run nothing (divert.forwarded): the lab's third host is the router, the
// client's host is the device. The daemon runs with CAP_NET_ADMIN alone, as the package's unit has it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clientUid, login } from './harness/account.js';
import { capture, type Capture } from './harness/capture.js';
import { must, run, waitFor } from './harness/command.js';
import { knockAt, routerPolicy, startHardened, startImpostor, type Knock } from './gateway/ground.js';
import type { Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { content, marker } from './harness/payload.js';
import { isTlsHandshake, wireAddress } from './harness/pcap.js';
import type { LabServer } from './harness/server.js';
import { proftpd13, proftpdPlain } from './servers/proftpd.js';
import { vsftpdTls } from './servers/vsftpd.js';
import { FtpTalk, type Form } from './show/ftp-talk.js';
import {
  clientFolder,
  digest,
  keys,
  namesAt,
  place,
  questions,
  readAt,
  sessions,
  status,
} from './show/ground.js';
import { Talker } from './show/talker.js';

const file = content(300_000);
const device = { ipv4: '10.21.0.2', ipv6: 'fd21::2' };
const secrets = [
  { name: 'password', bytes: Buffer.from(login.password) },
  { name: 'file', bytes: marker },
];
let lab: Lab;
let router: string;
let daemon: Daemon;
let vsftpd: LabServer;
let proftpd: LabServer;
let plain: LabServer;
let talker: Talker;
let captures = 0;

const ways: readonly { readonly form: Form; readonly family: 'ipv4' | 'ipv6' }[] = [
  { form: 'PASV', family: 'ipv4' },
  { form: 'EPSV', family: 'ipv6' },
  { form: 'PORT', family: 'ipv4' },
  { form: 'EPRT', family: 'ipv6' },
];

const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';

describe('a router for devices', { skip }, () => {
  before(async () => {
    lab = await openLab({ third: true });
    router = lab.network.mitm ?? '';
    vsftpd = await lab.server(vsftpdTls);
    proftpd = await lab.server(proftpd13);
    plain = await lab.server(proftpdPlain);
    for (const server of [vsftpd, proftpd, plain]) place(server, 'file.bin', file);
    for (const host of [3, 4, 5])
      await must({}, ['ip', '-n', lab.network.pc, 'addr', 'add', `10.21.0.${host}/24`, 'dev', 'eth0']);
    daemon = await startGateway();
    talker = new Talker({ namespace: lab.network.pc, uid: clientUid });
  });

  after(async () => {
    await talker.stop();
    await daemon.stop();
    await lab.close();
  });

  test('an unknown key is refused with a sentence in 421, and stands as a question for the administrator', async () => {
    const talk = await FtpTalk.open(talker, vsftpd.address.ipv4);
    const refusal = await talk.command(`USER ${login.user}`);
    assert.equal(refusal.code, 421);
    assert.match(
      refusal.text,
      /does not trust the key of .*SHA256:.* administrator answers with "ftpseal prompts --answer /,
    );
    const [question] = await questions(daemon);
    assert.equal(question?.connection.client.address, device.ipv4);
    assert.equal(question.owner.kind, 'machine');
    assert.deepEqual(await questions(daemon, clientUid), [], 'nobody else’s to see');
    assert.match((await daemon.cli(['prompts'])).stdout, /Device +10\.21\.0\.2/);
    const stranger = await daemon.cli(['prompts', '--answer', question.id, 'trust'], clientUid);
    assert.equal(stranger.code, 4, stranger.stdout + stranger.stderr);
  });

  test('a no counts for ten minutes of tries, without a new question', async () => {
    await answer(proftpd.address.ipv6, 'refuse');
    for (let round = 0; round < 2; round += 1) {
      const talk = await FtpTalk.open(talker, proftpd.address.ipv6);
      const refusal = await talk.command(`USER ${login.user}`);
      assert.equal(refusal.code, 421, refusal.text);
      assert.match(refusal.text, /was refused by the gateway's administrator/);
    }
    assert.equal((await questions(daemon)).some(isAbout(proftpd.address.ipv6)), false);
    await daemon.stop();
    daemon = await startGateway();
  });

  test('what the administrator has trusted works from then on', async () => {
    for (const { address } of [vsftpd, proftpd]) await answer(address.ipv4, 'trust');
    const { keys: pins } = await keys(daemon);
    assert.deepEqual(
      pins.map(({ owner }) => owner.kind),
      ['machine', 'machine'],
    );
  });

  describe('every way to transfer', () => {
    let seen: Capture;

    before(async () => {
      seen = await watch(vsftpd, proftpd);
    });

    for (const [kind, server] of [
      ['vsftpd', () => vsftpd],
      ['ProFTPD', () => proftpd],
    ] as const) {
      for (const { form, family } of ways) {
        test(`${form} over ${family} to ${kind}: the device’s peer is the server`, async () => {
          const address = server().address[family];
          const talk = await FtpTalk.open(talker, address);
          assert.deepEqual(talk.control.peer, [address, 21]);
          await talk.login();
          // A second active connection must find port 20 free again.
          for (let round = 0; round < 2; round += 1) {
            const fetched = await talk.fetch(form, 'RETR file.bin');
            assert.equal(fetched.final.code, 226, fetched.final.text);
            assert.equal(fetched.sha256, digest(file));
            const [host, port] = fetched.data.peer;
            assert.equal(host, address);
            if (form === 'PORT' || form === 'EPRT') assert.equal(port, 20);
          }
          await talk.expect(221, 'QUIT');
        });
      }
    }

    test('nothing of it could be read behind the router', () => assertUnreadable(seen));
  });

  test('curl and lftp on the device: downloads and uploads, passive and active, both families', async () => {
    const seen = await watch(vsftpd, proftpd);
    const folder = clientFolder(lab, 'device');
    const at = { namespace: lab.network.pc, uid: clientUid, cwd: folder, env: { HOME: folder } };
    const base = ['curl', '-sS', '--max-time', '60', '--user', `${login.user}:${login.password}`];
    for (const [server, way] of [
      [`ftp://${vsftpd.address.ipv4}`, ['--ftp-pasv']],
      [`ftp://[${vsftpd.address.ipv6}]`, ['--ftp-pasv']],
      [`ftp://${proftpd.address.ipv4}`, ['--ftp-port', '-', '--disable-eprt']],
      [`ftp://[${proftpd.address.ipv6}]`, ['--ftp-port', '-']],
    ] as const) {
      await must(at, [...base, ...way, '--output', 'got.bin', `${server}/file.bin`]);
      assert.deepEqual(readFileSync(path.join(folder, 'got.bin')), file);
      await must(at, [...base, ...way, '--upload-file', 'got.bin', `${server}/put.bin`]);
    }
    for (const server of [vsftpd, proftpd]) assert.deepEqual(readAt(server, 'put.bin'), file);
    for (const [server, passive] of [
      [vsftpd, 'no'],
      [proftpd, 'yes'],
    ] as const) {
      const lines = [
        'set ftp:ssl-allow no',
        `set ftp:passive-mode ${passive}`,
        'set net:timeout 10',
        'set net:max-retries 1',
        'set xfer:clobber yes',
        `open -u ${login.user},${login.password} ftp://${server.address.ipv4}`,
        'get file.bin -o lftp.bin',
        'put lftp.bin -o lftp-put.bin',
        'bye',
      ];
      const { stderr } = await run(at, ['lftp'], { input: `${lines.join('\n')}\n` });
      assert.deepEqual(readAt(server, 'lftp-put.bin'), file, stderr);
    }
    await assertUnreadable(seen);
  });

  test('a device that does as small ones do: one session, active, many small files one after the other', async () => {
    const folder = clientFolder(lab, 'scanner');
    const at = { namespace: lab.network.pc, uid: clientUid, cwd: folder };
    const script = [
      'import ftplib, io, sys',
      'ftp = ftplib.FTP(sys.argv[1], sys.argv[2], sys.argv[3], timeout=20)',
      'ftp.set_pasv(False)',
      "for page in range(40): ftp.storbinary('STOR page-%02d.tif' % page, io.BytesIO(b'page %d ' % page * 500))",
      'ftp.quit()',
    ];
    const login3 = [vsftpd.address.ipv4, login.user, login.password];
    await must(at, ['/usr/bin/python3', '-c', script.join('\n'), ...login3]);
    const pages = namesAt(vsftpd).filter((name) => name.startsWith('page-'));
    assert.equal(pages.length, 40);
    assert.equal(readAt(vsftpd, 'page-39.tif').length, 'page 39 '.length * 500);
  });

  test('a device is known by its address: in sessions, and nobody else takes its data connection', async () => {
    const talk = await FtpTalk.open(talker, vsftpd.address.ipv4);
    await talk.login();
    const views = await sessions(daemon);
    const [view] = views.filter(({ state }) => state.connection.client.address === device.ipv4);
    assert.equal(view?.state.connection.forwarded, true);
    assert.equal(view.state.connection.uid, undefined);
    assert.deepEqual(await sessions(daemon, clientUid), []);
    const port = await talk.passivePort('PASV');
    // Another device and a user of the router itself dial the port that was named to this one.
    for (const knock of [
      { namespace: lab.network.pc, from: '10.21.0.5' },
      { namespace: router, from: '10.22.0.1' },
    ]) {
      const said = await dial({ ...knock, to: vsftpd.address.ipv4, port });
      assert.match(said, /^(closed|reset)$/);
    }
    await waitFor('the refusals in the log', () => daemon.log().includes('of somebody else was refused'));
    await talk.expect(221, 'QUIT');
  });

  test('a user of the router is still that user, beside a device at the same server', async () => {
    const local = new Talker({ namespace: router, uid: clientUid });
    const talk = await FtpTalk.open(talker, vsftpd.address.ipv4);
    await talk.login();
    const own = await FtpTalk.open(local, vsftpd.address.ipv4);
    await own.login();
    for (const form of ['PASV', 'PORT'] as const) {
      const fetched = await own.fetch(form, 'RETR file.bin');
      assert.equal(fetched.sha256, digest(file), fetched.final.text);
      assert.equal((await talk.fetch(form, 'RETR file.bin')).sha256, digest(file));
    }
    const uids = (await sessions(daemon)).map(({ state }) => state.connection.uid);
    assert.deepEqual(new Set(uids), new Set([undefined, clientUid]));
    for (const one of [talk, own]) await one.expect(221, 'QUIT');
    await local.stop();
  });

  test('a device can’t make the router call others: only its own address, never a low port', async () => {
    const talk = await FtpTalk.open(talker, vsftpd.address.ipv4);
    await talk.login();
    await talk.expect(504, 'PORT 10,22,0,12,100,1');
    await talk.expect(504, 'PORT 10,21,0,2,0,25');
    await talk.expect(221, 'QUIT');
  });

  describe('per client', () => {
    test('who may not use FTP is reset, who is to be left alone reaches the server itself', async () => {
      assert.equal(await dial({ from: '10.21.0.4', to: vsftpd.address.ipv4, port: 21 }), 'refused');
      const before = (await sessions(daemon)).length;
      const left = await dial({ from: '10.21.0.3', to: vsftpd.address.ipv4, port: 21 });
      assert.match(left, /^220 /);
      assert.equal((await sessions(daemon)).length, before);
    });

    test('cleartext is refused as the file says, and allowed for the one device that needs it', async () => {
      assert.match(
        await say('10.21.0.2', plain.address.ipv4, `USER ${login.user}`),
        /\n421 .*refuses to go on without/,
      );
      assert.match(await say('10.21.0.5', plain.address.ipv4, `USER ${login.user}`), /\n331 /);
    });

    test('a server without encryption sees data connections from where the control connection comes from', async () => {
      const folder = clientFolder(lab, 'old-camera');
      const at = { namespace: lab.network.pc, uid: clientUid, cwd: folder };
      const base = ['curl', '-sS', '--max-time', '30', '--user', `${login.user}:${login.password}`];
      for (const way of [['--ftp-pasv'], ['--ftp-port', '10.21.0.5']])
        await must(at, [
          ...base,
          '--interface',
          '10.21.0.5',
          ...way,
          '-o',
          'got.bin',
          `ftp://${plain.address.ipv4}/file.bin`,
        ]);
      assert.deepEqual(readFileSync(path.join(folder, 'got.bin')), file);
    });

    test('a device gets so many sessions and no more', async () => {
      const open: FtpTalk[] = [];
      for (let count = 0; count < 6; count += 1) open.push(await FtpTalk.open(talker, vsftpd.address.ipv4));
      const { text } = await seventh();
      assert.match(text, /^421 ftpseal: this device has 6 FTP sessions open already/);
      assert.match(await say('10.21.0.5', vsftpd.address.ipv4, 'NOOP'), /^220 /);
      for (const talk of open) await talk.hangUp();
      await waitFor('an end of the sessions', async () => (await sessions(daemon)).length === 0);
      assert.match(await say('10.21.0.2', vsftpd.address.ipv4, 'NOOP'), /^220 /);
    });
  });

  test('nobody on any network can use the router’s ports, with rules or past them', async () => {
    const listening = await must({ namespace: router }, ['ss', '-Hltn']);
    const ports = [...listening.matchAll(/(?:0\.0\.0\.0|\[::\]|\*):(\d+)/g)].map((match) => Number(match[1]));
    assert.ok(ports.length >= 4, listening);
    for (const port of new Set(ports)) {
      assert.equal(await dial({ from: '10.21.0.2', to: '10.21.0.1', port }), 'refused');
      assert.equal(
        await dial({ namespace: lab.network.srv, from: '10.22.0.2', to: '10.22.0.1', port }),
        'refused',
      );
      assert.match(
        await dial({ namespace: router, from: '127.0.0.1', to: '127.0.0.1', port }),
        /^(closed|reset)$/,
      );
    }
    // Nor as a proxy: port 21 of the router itself is the router's own.
    assert.equal(await dial({ from: '10.21.0.2', to: '10.21.0.1', port: 21 }), 'refused');
    // Nor from the other side, which is not in forwarded_from: that is routed as it always was.
    assert.equal(
      await dial({ namespace: lab.network.srv, from: '10.22.0.2', to: device.ipv4, port: 21 }),
      'refused',
    );
  });

  test('other forwarded traffic passes untouched', async () => {
    const listener = new Talker({ namespace: lab.network.srv, uid: clientUid });
    for (const port of [8021, 21500]) {
      // 21500 is a virtual data port: without a session that expects it, it leads where it always did.
      const { listener: id } = await listener.listen(vsftpd.address.ipv4, port);
      const there = await talker.connect(vsftpd.address.ipv4, port);
      const here = await listener.accept(id);
      await talker.send(there.connection, 'hello\n');
      assert.equal((await listener.line(here.connection, 10)).text, 'hello\n');
      if (port === 8021) assert.equal(here.peer[0], device.ipv4, 'with the device’s own address');
    }
    await listener.stop();
  });

  test('nobody on the router takes the place of a dead proxy', async () => {
    const { pid } = await status(daemon);
    process.kill(daemon.pid, 'SIGSTOP');
    process.kill(pid, 'SIGKILL');
    const impostor = await startImpostor(router);
    const knocks = [1, 2].map(() => dial({ from: '10.21.0.2', to: vsftpd.address.ipv4, port: 21 }));
    assert.deepEqual(await Promise.all(knocks), ['timeout', 'timeout']);
    assert.equal(impostor.stdout(), '', 'it has caught nobody');
    await impostor.stop();
    process.kill(daemon.pid, 'SIGCONT');
    const greeted = () => dial({ from: '10.21.0.2', to: vsftpd.address.ipv4, port: 21 });
    await waitFor('the next proxy', async () => (await greeted()).startsWith('220 '));
  });

  test('who removes all rules is undone: devices are secured, and refused if the daemon dies then', async () => {
    await must({ namespace: router }, ['nft', 'flush', 'ruleset']);
    assert.match(await say('10.21.0.2', vsftpd.address.ipv4, `USER ${login.user}`), /\n331 /);
    const held = () => run({ namespace: router }, ['nft', 'list', 'table', 'inet', 'ftpseal_hold']);
    await waitFor('the repair', async () => (await held()).stdout.includes('chain forward_guard'));
  });

  test('after kill -9 nothing of a device goes out in clear while on_failure is closed, and the next start serves again', async () => {
    const talk = await FtpTalk.open(talker, vsftpd.address.ipv4);
    await talk.login();
    const seen = await watch(vsftpd);
    process.kill(daemon.pid, 'SIGKILL');
    await daemon.running.ended;
    assert.equal(await dial({ from: '10.21.0.2', to: vsftpd.address.ipv4, port: 21 }), 'refused');
    assert.equal(await dial({ from: '10.21.0.2', to: vsftpd.address.ipv6, port: 21 }), 'refused');
    assert.match(await dial({ from: '10.21.0.3', to: vsftpd.address.ipv4, port: 21 }), /^220 /);
    await talk.say(`PASS ${login.password}`).catch(() => undefined);
    await assertUnreadable(seen);
    daemon = await startGateway();
    assert.match(await say('10.21.0.2', vsftpd.address.ipv4, `USER ${login.user}`), /\n331 /);
  });

  test('a stop ends the device’s session unheard, leaves no rule, and its FTP goes its own way', async () => {
    const talk = await FtpTalk.open(talker, vsftpd.address.ipv4);
    await talk.expect(331, `USER ${login.user}`);
    const seen = await watch(vsftpd);
    await daemon.stop();
    await talk.say(`PASS ${login.password}`).catch(() => undefined);
    await assertUnreadable(seen);
    assert.equal(await must({ namespace: router }, ['nft', 'list', 'ruleset']), '');
    assert.match(await dial({ from: '10.21.0.2', to: vsftpd.address.ipv4, port: 21 }), /^220 /);
    daemon = await startGateway();
  });
});

function startGateway(): Promise<Daemon> {
  return startHardened(lab, 'gateway', routerPolicy, router);
}

function isAbout(address: string) {
  return (one: { readonly connection: { readonly server: { readonly address: string } } }) =>
    one.connection.server.address === address;
}

/** Tries once, so that the question is there, and answers it. */
async function answer(address: string, word: string): Promise<void> {
  const talk = await FtpTalk.open(talker, address);
  const refusal = await talk.command(`USER ${login.user}`);
  assert.equal(refusal.code, 421, refusal.text);
  const found = (await questions(daemon)).find(isAbout(address));
  assert.ok(found !== undefined);
  const said = await daemon.cli(['prompts', '--answer', found.id, word]);
  assert.equal(said.code, 0, said.stderr);
}

function watch(...servers: readonly LabServer[]): Promise<Capture> {
  captures += 1;
  const addresses = servers.flatMap(({ address }) => [address.ipv4, address.ipv6]);
  return capture(lab.network.srv, path.join(lab.folder, `gateway-${captures}.pcap`), addresses);
}

/** Neither password nor file behind the router, and every data connection begins with TLS. */
async function assertUnreadable(seen: Capture): Promise<void> {
  const { flows, sightings, dropped } = await seen.finish(secrets);
  assert.equal(dropped, 0);
  assert.deepEqual(
    [...sightings].filter(([, places]) => places.length > 0),
    [],
  );
  const data = flows.filter(({ accepterPort }) => accepterPort !== 21);
  for (const { openerFirst } of data) assert.ok(openerFirst === undefined || isTlsHandshake(openerFirst));
  for (const { opener } of data) assert.notEqual(opener, wireAddress(device.ipv4));
}

function dial(knock: Omit<Knock, 'namespace'> & { readonly namespace?: string }): Promise<string> {
  return knockAt({ namespace: lab.network.pc, ...knock });
}

/** The greeting, and what the line brought. */
function say(from: string, to: string, line: string): Promise<string> {
  return dial({ from, to, port: 21, line });
}

async function seventh(): Promise<{ readonly text: string }> {
  const { connection } = await talker.connect(vsftpd.address.ipv4, 21);
  return talker.line(connection, 20);
}
