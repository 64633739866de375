// End to end: old programs, our client side in the network layer, the server proxy, and a plain server behind it. What goes over
// the wire in between is TLS or X-SafeTP1, and neither end knows of it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { everyWay } from './clients/all.js';
import { inetutilsFtp } from './clients/inetutils-ftp.js';
import { lftp } from './clients/lftp.js';
import { tnftp } from './clients/tnftp.js';
import { clientUid, login } from './harness/account.js';
import { capture } from './harness/capture.js';
import { acceptNew, startDaemon, stageProgram, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { marker, sha256, writeContent } from './harness/payload.js';
import { startBackend, startServe, type Serve } from './harness/serve.js';
import type { LabServer } from './harness/server.js';
import { runCell, type MatrixGround } from './matrix.js';
import { proftpdPlain } from './servers/proftpd.js';
import { vsftpdPlain } from './servers/vsftpd.js';
import { keys } from './show/ground.js';

let lab: Lab;
let daemon: Daemon;
let ground: MatrixGround;

before(async () => {
  lab = await openLab();
  daemon = await startDaemon(lab, 'chain', acceptNew);
  const file = path.join(lab.folder, 'huge.bin');
  writeContent(file, 30_000_000);
  ground = {
    lab,
    program: await stageProgram(lab),
    huge: { file, sha256: sha256(file) ?? '' },
    longBytes: 1_000_000_000,
  };
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

/** What protects the way in between, with what it takes at the server proxy. */
const chains = [
  { kind: vsftpdPlain, clients: [tnftp, inetutilsFtp, lftp], mechanism: 'TLS', lines: [] },
  { kind: proftpdPlain, clients: [tnftp], mechanism: 'TLS', lines: [] },
  {
    ...{ kind: vsftpdPlain, clients: [tnftp], mechanism: 'X-SafeTP1' },
    lines: ['mechanisms = ["X-SafeTP1"]', 'safetp_key = "safetp.pem"'],
  },
] as const;

for (const { kind, clients, mechanism, lines } of chains) {
  describe(`tnftp and others -> ftpseal -> ${mechanism} -> ftpseal serve -> ${kind.name}`, () => {
    let backend: LabServer;
    let serve: Serve;
    before(async () => {
      backend = await startBackend(lab, kind);
      serve = await startServe(lab, `chain-${kind.name}-${mechanism}`, `${backend.address.ipv4}:21`, [
        'require = "secure-data"',
        ...lines,
      ]);
    });
    after(async () => {
      await serve.stop();
    });

    for (const [turn, client] of clients.entries()) {
      test(client.name, async () => {
        const { ipv4, ipv6 } = serve.address;
        const wire = await capture(
          lab.network.srv,
          path.join(lab.folder, `chain-${client.name}-${mechanism}.pcap`),
          [ipv4, ipv6],
        );
        // The server proxy's address, the files of the server behind it.
        const server = { ...backend, address: serve.address };
        const failures: string[] = [];
        for (const way of everyWay.filter(({ family }) => family === 4 || mechanism === 'TLS')) {
          const verdict = await runCell(ground, { server, client, way }, turn);
          if (verdict.kind !== 'failed') continue;
          const said = `${verdict.transcript.slice(-4000)}\n${serve.log().slice(-2000)}`;
          failures.push(`${way.mode} IPv${way.family}: ${verdict.failures.join('; ')}\n${said}`);
        }
        const seen = await wire.finish([
          { name: 'password', bytes: Buffer.from(login.password) },
          { name: 'file', bytes: marker },
        ]);
        assert.equal(failures.join('\n'), '');
        assert.deepEqual(seen.sightings.get('password'), []);
        assert.deepEqual(seen.sightings.get('file'), []);
        assert.ok(seen.packets > 1000);
      });
    }

    test('the key that our client side has pinned is the server proxy’s', async () => {
      const { keys: pinned } = await keys(daemon, clientUid);
      const made = /X-SafeTP1 \(legacy\) is offered .*key=(\S+)/.exec(serve.log())?.[1];
      const own = mechanism === 'TLS' ? serve.certificate.fingerprint : (made ?? 'none');
      assert.ok(JSON.stringify(pinned).includes(own), serve.log());
      const protocol = mechanism === 'TLS' ? 'TLSv1' : '"?X-SafeTP1 \\(legacy\\)';
      assert.match(serve.log(), new RegExp(`encrypted .*protocol=${protocol}`));
      assert.doesNotMatch(serve.log(), new RegExp(login.password));
    });
  });
}
