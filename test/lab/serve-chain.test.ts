// End to end: old programs, our client side in the network layer, the server proxy, and a plain server behind it. What goes over
// the wire in between is TLS that neither end knows of.
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
  ground = { lab, program: await stageProgram(lab), huge: { file, sha256: sha256(file) ?? '' } };
});

after(async () => {
  await daemon.stop();
  await lab.close();
});

for (const kind of [vsftpdPlain, proftpdPlain]) {
  describe(`tnftp and others -> ftpseal -> ftpseal serve -> ${kind.name}`, () => {
    let backend: LabServer;
    let serve: Serve;
    before(async () => {
      backend = await startBackend(lab, kind);
      serve = await startServe(lab, `chain-${kind.name}`, `${backend.address.ipv4}:21`, [
        'require = "secure-data"',
      ]);
    });
    after(async () => {
      await serve.stop();
    });

    for (const [turn, client] of (kind === vsftpdPlain ? [tnftp, inetutilsFtp, lftp] : [tnftp]).entries()) {
      test(client.name, async () => {
        const { ipv4, ipv6 } = serve.address;
        const wire = await capture(lab.network.srv, path.join(lab.folder, `chain-${client.name}.pcap`), [
          ipv4,
          ipv6,
        ]);
        // The server proxy's address, the files of the server behind it.
        const server = { ...backend, address: serve.address };
        const failures: string[] = [];
        for (const way of everyWay) {
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
      assert.ok(JSON.stringify(pinned).includes(serve.certificate.fingerprint));
      assert.match(serve.log(), /encrypted session=/);
    });
  });
}
