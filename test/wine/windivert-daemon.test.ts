// The whole daemon for Windows, under Wine on a host of the lab: supervisor, proxy, the redirect layer behind the stand-in driver with the
// kernel's own packets, a plain FTP program and a real FTPS server. Wine names no process for a connection, so the sessions are nobody's,
// and only active data connections, which the proxy makes, find their session.
import assert from 'node:assert/strict';
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import { plan, port, range, server as diverted } from '../daemon/divert/plan-fixture.js';
import { clientUid } from '../lab/harness/account.js';
import { argvAt, must } from '../lab/harness/command.js';
import { openLab, type Lab } from '../lab/harness/lab.js';
import { content } from '../lab/harness/payload.js';
import type { LabServer } from '../lab/harness/server.js';
import { vsftpdTls } from '../lab/servers/vsftpd.js';
import { FtpTalk } from '../lab/show/ftp-talk.js';
import { digest, place } from '../lab/show/ground.js';
import { Talker } from '../lab/show/talker.js';
import { textOf, Wine } from './harness/wine.js';
import type { WineProcess } from './harness/wine-process.js';
import { buildStandIn } from './windivert/stand-in.js';

const skip = process.geteuid?.() === 0 ? false : 'needs root for network namespaces';
const file = content(200_000);
const config = '[divert]\nworkers = 1\n[trust]\nunknown = "accept-new"\nstore = "file"\n';

describe('the daemon for Windows, with a stand-in driver', { skip, timeout: 290_000 }, () => {
  let lab: Lab;
  let wine: Wine;
  let server: LabServer;
  let bridge: ChildProcess;
  let daemon: WineProcess;
  let person: Talker;

  before(async () => {
    lab = await openLab();
    server = await lab.server(vsftpdTls);
    place(server, 'file.bin', file);
    const host = lab.network.pc;
    // As on Windows: no program gets one of the proxy's source ports.
    const setting = '/proc/sys/net/ipv4/ip_local_port_range';
    await must({ namespace: host }, ['sh', '-c', `echo 32768 43999 > ${setting}`]);
    person = new Talker({ namespace: host, uid: clientUid });
    const [program = '', ...argv] = argvAt({ namespace: host }, [
      process.execPath,
      path.join(import.meta.dirname, 'windivert/tun-bridge.js'),
      'listen',
    ]);
    bridge = spawn(program, argv, { stdio: ['pipe', 'ignore', 'inherit', 'ipc'] });
    const [bound] = (await once(bridge, 'message')) as [unknown];
    wine = Wine.open({ namespace: host });
    // A program of its own: the driver lies in its folder.
    const copy = path.join(wine.folder, 'program');
    execFileSync('cp', ['-al', wine.program, copy]);
    buildStandIn(path.join(copy, 'windivert'));
    writeFileSync(path.join(wine.folder, 'config.toml'), config);
    daemon = await startDaemon(copy, String(z.object({ port: z.number() }).parse(bound).port));
    // What the filter captures on Windows; the proxy is root there, and so known by the kernel's rules.
    bridge.send(
      plan({
        proxyUid: 0,
        workers: [{ control: port(31_100), data: port(31_101), virtual: range('21210-23209') }],
        servers: [diverted(server.address.ipv4, 23_300)],
      }),
    );
    await once(bridge, 'message');
  });
  after(async () => {
    await person.stop();
    bridge.kill('SIGKILL');
    await wine.close();
    await lab.close();
  });

  /** A machine with much other work may take longer than the supervisor waits for its proxy. */
  async function startDaemon(program: string, driverPort: string): Promise<WineProcess> {
    const file = wine.windowsPath(path.join(wine.folder, 'config.toml'));
    const words = ['daemon', '--foreground', '--config', file];
    const argv = wine.nodeArguments(path.join(program, 'dist/daemon/main.js'), words);
    for (let attempt = 1; ; attempt += 1) {
      const started = wine.start(argv, { env: { FTPSEAL_STAND_IN: driverPort } });
      try {
        await started.said(/info +ready/, 90_000);
        return started;
      } catch (error) {
        await started.kill();
        if (attempt === 3) throw error;
      }
    }
  }

  it('secures a plain program’s session and its active data connection', async () => {
    const talk = await FtpTalk.open(person, server.address.ipv4);
    await talk.login();
    const fetched = await talk.fetch('PORT', 'RETR file.bin');
    const said = `${daemon.stdout()}${daemon.stderr()}\n${server.log()}`;
    assert.equal(fetched.final.code, 226, said);
    assert.equal(fetched.sha256, digest(file));
    assert.deepEqual(fetched.data.peer, [server.address.ipv4, 20]);
    await talk.expect(221, 'QUIT');
    // The server takes no password and sends no file without TLS.
    assert.match(server.log(), /OK DOWNLOAD: .*file\.bin/);
    // Its own look at the DNS cache, which Wine does not have.
    const log = textOf(path.join(wine.driveC, 'ProgramData/ftpseal/state/log/ftpseal.log'));
    assert.match(log, /the DNS cache of Windows can’t be read/);
  });
});
