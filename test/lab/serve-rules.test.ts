// What the server proxy refuses and how it fails: session reuse, client certificates, legacy clients by policy, cut uploads, garbage
// where TLS should be, new certificates under running sessions, sockets that others opened, and what 500 idle clients cost.
import assert from 'node:assert/strict';
import { chownSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { clientUid, login, serverUid } from './harness/account.js';
import { run, sleep, start, waitFor, type Running } from './harness/command.js';
import { stageProgram } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { readIfThere } from './harness/payload.js';
import { proportionalMemory } from './harness/proc.js';
import { startBackend, startServe, type Serve } from './harness/serve.js';
import type { LabServer } from './harness/server.js';
import {
  basicFtpClient,
  curlClient,
  lftpClient,
  python,
  pythonArgv,
  type FtpsTask,
  type Way,
} from './serve/ftps-clients.js';
import { faultsOf, hello, layOut, type Work } from './serve/ground.js';
import { makeClientAuthority } from './serve/client-certificates.js';
import { proxyHeaderReader } from './serve/proxy-header-reader.js';
import { proftpdPlain } from './servers/proftpd.js';
import { pureFtpdPlain } from './servers/pure-ftpd.js';
import { pyftpdlibPlain } from './servers/pyftpdlib.js';
import { vsftpdPlain } from './servers/vsftpd.js';

const explicit: Way = { word: 'TLS', active: false, extended: true };

let lab: Lab;
let backend: LabServer;
let work: Work;
const serves: Serve[] = [];

before(async () => {
  lab = await openLab();
  backend = await startBackend(lab, vsftpdPlain);
  work = layOut(lab, backend, 'work');
  const long = path.join(backend.home, 'work/long.bin');
  writeFileSync(long, '');
  truncateSync(long, 200_000_000);
});

afterEach(async () => {
  for (const serve of serves.splice(0)) await serve.stop();
});

after(async () => {
  await lab.close();
});

async function serve(name: string, ...lines: readonly string[]): Promise<Serve> {
  const started = await startServe(lab, name, `${backend.address.ipv4}:21`, lines);
  serves.push(started);
  return started;
}

function taskAt({ address }: Serve, way: Partial<Way> = {}): FtpsTask {
  return { ...explicit, ...way, lab, address: address.ipv4, ...work };
}

describe('a data connection belongs to its control connection', () => {
  for (const version of [2, 3] as const) {
    test(`TLS 1.${version}: without the session, or with another's, it gets 425 and nothing of the file`, async () => {
      const at = await serve(`reuse-${version}`);
      const task = taskAt(at, { version });
      assert.match(await python(task, { steps: ['get'] }), /@@get\nok/);
      for (const step of ['unproven', 'foreign']) {
        const said = await python(task, { steps: [step, 'get'] });
        assert.match(said, /refused:|bytes: 0/, said);
        assert.match(said, /\n42[56][ -]/, said);
        assert.match(said, /@@get\nok/, said);
      }
      assert.match(at.log(), new RegExp(`protocol=TLSv1\\.${version}`));
    });
  }

  test('not where reuse is not required', async () => {
    const at = await serve('no-reuse', 'require_session_reuse = false');
    for (const version of [2, 3] as const) {
      assert.match(
        await python(taskAt(at, { version }), { steps: ['get', 'put'], reuse: false }),
        /@@get\nok\n@@put\nok/,
      );
    }
  });
});

test('mutual TLS: the authority’s clients only, on control and data connections', async () => {
  const authority = await makeClientAuthority(lab, 'clients');
  const other = await makeClientAuthority(lab, 'strangers');
  const at = await serve(
    'mutual',
    `client_ca = "${authority.certificate}"`,
    'require_client_certificate = true',
    'require_session_reuse = false',
  );
  const good = await python({ ...taskAt(at), certificate: authority.client }, { steps: ['get', 'put'] });
  assert.match(good, /@@get\nok\n@@put\nok/, good);
  const fresh = await python(
    { ...taskAt(at), certificate: authority.client },
    { steps: ['get'], reuse: false },
  );
  assert.match(fresh, /@@get\nok/, fresh);
  assert.match(at.log(), /certificate=/);
  for (const certificate of [undefined, other.client]) {
    const refused = await python(
      { ...taskAt(at), ...(certificate === undefined ? {} : { certificate }) },
      { steps: ['get'] },
    );
    assert.doesNotMatch(refused, /@@get/, refused);
    assert.doesNotMatch(refused, /^331/m);
  }
  assert.match(at.log(), /showed no certificate/);
  assert.match(at.log(), /certificate is not accepted/);
});

test('mutual TLS with curl, lftp and basic-ftp, session reuse required', async () => {
  const authority = await makeClientAuthority(lab, 'more-clients');
  const at = await serve(
    'mutual-more',
    `client_ca = "${authority.certificate}"`,
    'require_client_certificate = true',
  );
  const clients = [curlClient, lftpClient, basicFtpClient(await stageProgram(lab))];
  for (const client of clients) {
    const own = layOut(lab, backend, `mutual-${client.name}`);
    const task = { ...taskAt(at), ...own, certificate: authority.client };
    const said = await client.perform(task);
    const noEmptyUpload = client.noEmptyUpload === true;
    assert.deepEqual(faultsOf(lab, backend, own, { said, noEmptyUpload }), [], said.slice(-3000));
  }
});

describe('programs without encryption', () => {
  const clear = { word: 'none' } as const;

  test('none: pass, passive and active, and next to them those with', async () => {
    const at = await serve('require-none', 'require = "none"');
    for (const active of [false, true]) {
      for (const extended of [false, true]) {
        if (active && extended) continue;
        const said = await python(taskAt(at, { ...clear, active, extended }), {});
        assert.equal(said.split('\nok').length - 1, 6, said);
      }
    }
    assert.match(await python(taskAt(at), { steps: ['get'] }), /@@get\nok/);
  });

  test('secure: hear 530 before their password is asked for', async () => {
    const at = await serve('require-secure');
    const said = await python(taskAt(at, clear), { steps: ['get'] });
    assert.match(said, /530 ftpseal: this server takes logins over an encrypted connection only/);
    assert.doesNotMatch(said, /331/);
    assert.doesNotMatch(backend.log().split('\n').slice(-3).join('\n'), /USER/);
  });

  test('secure-data: no transfer in clear over TLS either', async () => {
    const at = await serve('require-secure-data', 'require = "secure-data"');
    const said = await python(taskAt(at), {
      prot: '',
      private: false,
      steps: ['get', 'say PBSZ 0', 'say PROT C'],
    });
    assert.match(said, /522 ftpseal: /, said);
    assert.match(said, /534 ftpseal: /, said);
    assert.match(await python(taskAt(at), { steps: ['get'] }), /@@get\nok/);
  });

  test('secure: data in clear is the client’s choice', async () => {
    const at = await serve('require-secure-clear-data');
    const said = await python(taskAt(at), { prot: '', private: false, steps: ['get', 'put'] });
    assert.match(said, /@@get\nok\n@@put\nok/, said);
  });

  test('CCC, foreign PORT and unknown commands are refused with protected data', async () => {
    const at = await serve('refusals');
    const said = await python(taskAt(at), {
      steps: ['say CCC', 'say PORT 10,22,0,1,200,10', 'say XEVIL', 'say AUTH TLS', 'say FEAT', 'get'],
    });
    for (const code of ['534', '504', '500', '503']) assert.match(said, new RegExp(`${code} ftpseal`), said);
    assert.match(said, /AUTH TLS;TLS-C;TLS-P;SSL;/);
    assert.match(said, /@@get\nok/);
  });
});

describe('a cut upload never counts as whole', () => {
  const failures = [
    [vsftpdPlain, /FAIL UPLOAD/],
    [proftpdPlain, /STOR cut\.bin" (?:426|451|550)|aborted|reset/i],
    [pureFtpdPlain, undefined],
    // It takes a reset for an end, with every client; the client hears 426 all the same.
    [pyftpdlibPlain, undefined],
  ] as const;
  for (const [kind, logged] of failures) {
    test(`before ${kind.name}`, async () => {
      const behind = await startBackend(lab, kind);
      const place = layOut(lab, behind, `cut-${kind.name}`);
      const at = await startServe(lab, `cut-${kind.name}`, `${behind.address.ipv4}:21`);
      serves.push(at);
      for (const version of [2, 3] as const) {
        const said = await python({ ...taskAt(at, { version }), ...place }, { steps: ['cut', 'get'] });
        assert.match(said, /@@cut\n(?:42[56]|451)[ -]/, said);
        assert.match(said, /@@get\nok/, said);
      }
      await sleep(300);
      if (logged !== undefined) assert.match(behind.log(), logged, behind.log().slice(-3000));
    });
  }
});

test('ABOR in the middle of a download, then the next file', async () => {
  for (const kind of [vsftpdPlain, proftpdPlain, pureFtpdPlain, pyftpdlibPlain]) {
    const behind = kind === vsftpdPlain ? backend : await startBackend(lab, kind);
    const place = kind === vsftpdPlain ? work : layOut(lab, behind, `abort-${kind.name}`);
    if (kind !== vsftpdPlain) {
      const long = path.join(behind.home, place.remote, 'long.bin');
      writeFileSync(long, '');
      truncateSync(long, 200_000_000);
    }
    const at = await startServe(lab, `abort-${kind.name}`, `${behind.address.ipv4}:21`);
    serves.push(at);
    const said = await python({ ...taskAt(at), ...place }, { steps: ['abort'] });
    assert.match(said, /@@abort\n[^]*(?:426|225|226)[^]*\nok/, `${kind.name}: ${said}\n${at.log()}`);
    assert.ok(readIfThere(path.join(place.folder, 'after-abort.bin'))?.equals(hello));
  }
});

test('garbage where TLS should be, plaintext behind AUTH, and silence: dropped, and the backend hears nothing', async () => {
  const at = await serve('garbage');
  const talk = async (script: string): Promise<string> =>
    (
      await run({ namespace: lab.network.pc }, ['/usr/bin/python3', '-c', script, at.address.ipv4], {
        timeoutMs: 60_000,
      })
    ).stdout;
  const head = 'import socket,sys\ns=socket.create_connection((sys.argv[1],PORT),40)\nf=s.makefile("rb")\n';
  const tail = '\ntry:\n print(f.read())\nexcept OSError as e: print("gone", e)\n';
  const after = (bytes: string): string =>
    `${head.replace('PORT', '21')}f.readline()\ns.sendall(b"AUTH TLS\\r\\n")\nprint(f.readline())\ns.sendall(${bytes})${tail}`;
  assert.match(await talk(after('b"USER bo\\r\\nPASS secret\\r\\n"')), /234[^]*(?:b''|gone|x15)/);
  assert.match(await talk(after('b"\\x16\\x03\\x01\\x02\\x00" + b"z" * 600')), /234[^]*(?:b''|gone|x15)/);
  const injected = `${head.replace('PORT', '21')}f.readline()\ns.sendall(b"AUTH TLS\\r\\nUSER bo\\r\\n")${tail}`;
  assert.match(await talk(injected), /421 ftpseal: something was sent behind AUTH/);
  // Both wait for the bound of the handshake, 30 seconds.
  const silent = `${head.replace('PORT', '990')}${tail}`;
  const [mute, stuck] = await Promise.all([talk(silent), talk(after('b"\\x16"'))]);
  assert.match(mute, /b''|gone/);
  assert.match(stuck, /234[^]*(?:b''|gone|x15)/);
  assert.doesNotMatch(backend.log().slice(-1500), /USER bo|secret/);
  assert.match(at.log(), /spoke something else than TLS/);
});

test('certificates: the right one by name, a new one without dropping sessions, a broken one changes nothing', async () => {
  const named = await lab.certificate('other');
  const at = await serve('names', `certificate = ["${lab.folder}/serve-names.pem", "${named.both}"]`).catch(
    () => undefined,
  );
  assert.equal(at, undefined, 'a certificate that is not there is an error at start');
  const mine = await lab.certificate('mine');
  for (const file of [named.both, mine.both]) chownSync(file, serverUid, serverUid);
  const own = path.join(lab.folder, 'changing.pem');
  copyFileSync(mine.both, own);
  chownSync(own, serverUid, serverUid);
  const running = await serve('names-2', `certificate = ["${own}", "${named.both}"]`);
  const shown = async (name?: string): Promise<string> => {
    const to = ['-connect', `${running.address.ipv4}:21`, '-starttls', 'ftp'];
    const sni = name === undefined ? ['-noservername'] : ['-servername', name];
    const { stdout } = await run({ namespace: lab.network.pc }, ['openssl', 's_client', ...to, ...sni], {
      input: 'QUIT\n',
    });
    return /subject=CN = (\S+)/.exec(stdout)?.[1] ?? stdout;
  };
  assert.deepEqual(
    [await shown(), await shown('mine.test'), await shown('other.test'), await shown('x.test')],
    ['mine', 'mine', 'other', 'mine'],
  );
  const place = { namespace: lab.network.pc, uid: clientUid, cwd: work.folder };
  const session = start(place, pythonArgv(taskAt(running), { steps: ['get', 'wait', 'get', 'put'] }));
  await waitFor(
    () => session.stdout(),
    () => session.stdout().includes('waiting'),
  );
  const next = await lab.certificate('next');
  writeFileSync(own, readFileSync(next.both));
  await sleep(1100);
  await shown();
  await waitFor(
    () => running.log(),
    () => running.log().includes('read again'),
  );
  assert.equal(await shown(), 'next');
  session.child.stdin?.end('\n');
  await session.ended;
  assert.match(session.stdout(), /@@wait\nwaiting\nok\n@@get\nok\n@@put\nok/, session.stdout());
  writeFileSync(own, 'nonsense');
  await sleep(1100);
  await shown();
  await waitFor(
    () => running.log(),
    () => running.log().includes('those from before stay'),
  );
  assert.equal(await shown(), 'next');
});

test('the backend hears from PROXY headers who its client is', async () => {
  for (const version of ['v1', 'v2'] as const) {
    const reader = await proxyHeaderReader(lab, backend.address.ipv4, 21);
    const at = await serve(
      `proxy-${version}`,
      `backend_proxy_protocol = "${version}"`,
      `backend = "${reader.address}"`,
    );
    for (const address of [at.address.ipv4, at.address.ipv6]) {
      const said = await python({ ...taskAt(at), address }, { steps: ['get'] });
      assert.match(said, /@@get\nok/, said + reader.log());
      const client = address.includes(':') ? 'fd22::2' : '10.22.0.2';
      assert.ok(reader.log().includes(`${version} ${client} ${address} `), reader.log());
    }
    await reader.stop();
  }
});

test('a backend on IPv6, clients on both', async () => {
  const at = await serve('backend-6', `backend = "[${backend.address.ipv6}]:21"`);
  for (const address of [at.address.ipv4, at.address.ipv6]) {
    for (const active of [false, true]) {
      const extended = !active || address.includes(':');
      const said = await python({ ...taskAt(at, { active, extended }), address }, { steps: ['get', 'put'] });
      assert.match(said, /@@get\nok\n@@put\nok/, said);
    }
  }
});

test('public_address and passive_ports', async () => {
  const at = await serve('public', 'public_address = "203.0.113.7"', 'passive_ports = "45000-45015"');
  const said = await python(taskAt(at), { steps: ['say PASV', 'say EPSV', 'get'] });
  assert.match(said, /227 .*\(203,0,113,7,175,(?:20[0-9]|21[0-5]|19[0-9]|2[0-9])/, said);
  assert.match(said, /\|\|\|450(?:0[0-9]|1[0-5])\|/, said);
  assert.match(said, /@@get\nok/, said);
});

describe('sockets that others opened', () => {
  async function ground(
    name: string,
  ): Promise<{ readonly command: readonly string[]; readonly address: string }> {
    const program = await stageProgram(lab);
    const certificate = await lab.certificate(name);
    chownSync(certificate.both, serverUid, serverUid);
    const address = lab.network.nextAddress().ipv4;
    const main = path.join(program, 'dist/daemon/main.js');
    const where = ['--certificate', certificate.both, '--backend', `${backend.address.ipv4}:21`];
    return { command: [process.execPath, main, 'serve', ...where], address };
  }

  async function works(running: Running, address: string): Promise<void> {
    await sleep(500);
    const said = await python({ ...explicit, lab, address, ...work }, { steps: ['get', 'put'] });
    assert.match(said, /@@get\nok\n@@put\nok/, said + running.stderr());
  }

  // With and without the client's connection as standard error, as inetd has it.
  for (const option of ['', ',stderr'])
    test(`inetd${option}`, async () => {
      const { command, address } = await ground(`inetd${option.length}`);
      // socat has meanings of its own for colons.
      const script = path.join(lab.folder, `inetd${option.length}.sh`);
      writeFileSync(script, `exec ${[...command, '--inetd'].join(' ')}\n`);
      const listen = `TCP-LISTEN:21,bind=${address},fork,reuseaddr`;
      const running = start({ namespace: lab.network.srv, uid: serverUid }, [
        ...['socat', listen, `EXEC:/bin/sh ${script},nofork${option}`],
      ]);
      await works(running, address);
      await running.stop();
    });

  test('systemd, listening, explicit and implicit', async () => {
    const { command, address } = await ground('activated');
    const sockets = ['-l', `${address}:21`, '-l', `${address}:990`, '--fdname=explicit:implicit'];
    const running = start({ namespace: lab.network.srv, uid: serverUid }, [
      'systemd-socket-activate',
      ...sockets,
      ...command,
    ]);
    await works(running, address);
    const implicit = await python(
      { ...explicit, word: 'implicit', lab, address, ...work },
      { steps: ['get'] },
    );
    assert.match(implicit, /@@get\nok/, implicit + running.stderr());
    await running.stop();
  });

  test('systemd, one connection', async () => {
    const { command, address } = await ground('accepted');
    const sockets = ['-a', '-l', `${address}:21`];
    const running = start({ namespace: lab.network.srv, uid: serverUid }, [
      'systemd-socket-activate',
      ...sockets,
      ...command,
    ]);
    await works(running, address);
    await running.stop();
  });
});

test('500 idle encrypted clients cost less than 100 MB', async (t) => {
  const at = await serve('crowd');
  assert.match(await python(taskAt(at), { steps: ['get'] }), /@@get\nok/);
  const pid = at.running.pid;
  const beforeThem = proportionalMemory(pid);
  const task = pythonArgv(taskAt(at), { nologin: true, steps: ['crowd'], count: 500 });
  const crowd = start({ namespace: lab.network.pc, uid: clientUid, cwd: work.folder }, task);
  await waitFor(
    () => crowd.stdout() + at.log().slice(-500),
    () => crowd.stdout().includes('held 500'),
    120_000,
  );
  const cost = (proportionalMemory(pid) - beforeThem) / 1e6;
  t.diagnostic(`500 idle clients: ${cost.toFixed(1)} MB, before them ${(beforeThem / 1e6).toFixed(1)} MB`);
  assert.ok(cost < 100, `${cost} MB`);
  crowd.child.stdin?.end();
  await crowd.ended;
  assert.match(await python(taskAt(at), { steps: ['get'] }), /@@get\nok/);
  assert.doesNotMatch(at.log(), new RegExp(login.password));
});
