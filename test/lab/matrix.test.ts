// The main job: every plain client through ftpseal to every server, every way, and nothing readable on the wire (the
// issue's Show 1 and 2). The table goes to the test output and to .lab/matrix.txt.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { everyClient, everyWay } from './clients/all.js';
import { login } from './harness/account.js';
import { capture } from './harness/capture.js';
import { acceptNew, stageProgram, startDaemon, type Daemon } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { marker, sha256, writeContent } from './harness/payload.js';
import { isTlsHandshake } from './harness/pcap.js';
import { repository, type LabServer } from './harness/server.js';
import { formatLimits, formatMatrix, runCell, type Cell, type MatrixGround, type Verdict } from './matrix.js';
import { matrixServers } from './servers/all.js';

/** The 300 MB of the issue; a developer in a hurry may take less. */
const hugeSize = Number(process.env['FTPSEAL_LAB_HUGE'] ?? 300_000_000);
/** Another redirect layer than the machine's own, and fewer servers, for a run by hand. */
const layer = process.env['FTPSEAL_LAB_LAYER'];
const only = process.env['FTPSEAL_LAB_SERVER'];

let lab: Lab;
let daemon: Daemon;
let ground: MatrixGround;
const servers: LabServer[] = [];
const results: { cell: Cell; verdict: Verdict }[] = [];

before(async () => {
  lab = await openLab();
  const program = await stageProgram(lab);
  const file = path.join(lab.folder, 'huge.bin');
  writeContent(file, hugeSize);
  ground = { lab, program, huge: { file, sha256: sha256(file) ?? '' } };
  const divert = layer === undefined ? '' : `[divert]\nlayer = "${layer}"\n`;
  daemon = await startDaemon(lab, 'matrix', acceptNew + divert);
});

after(async () => {
  const table = `${formatMatrix(results)}\n${formatLimits(everyClient, servers)}`;
  mkdirSync(path.join(repository, '.lab'), { recursive: true });
  writeFileSync(
    path.join(repository, '.lab', layer === undefined ? 'matrix.txt' : `matrix-${layer}.txt`),
    table,
  );
  console.log(`\n${table}`);
  await daemon.stop();
  await lab.close();
});

const wanted = matrixServers.filter(({ name }) => only === undefined || name === only);
if (wanted.length === 0) throw new Error(`the matrix has no server ${only ?? ''}`);
for (const kind of wanted) {
  describe(`${kind.name} through ftpseal (${kind.setup})`, () => {
    let server: LabServer;
    let wire: Awaited<ReturnType<typeof capture>>;

    before(async () => {
      server = await lab.server(kind);
      servers.push(server);
      const file = path.join(lab.folder, `${kind.name}.pcap`);
      wire = await capture(lab.network.srv, file, [server.address.ipv4, server.address.ipv6]);
    });

    after(() => server.stop());

    // Much of the time goes into waiting (for ProFTPD between two logins, for a second reply to ABOR), so three at once.
    // Through the packet engine one at a time: three times 400 MB at once, which vsftpd sends to the end in spite of ABOR,
    // take longer there than a client gets to show that it lives.
    describe('clients', { concurrency: layer === undefined ? 3 : 1 }, () => {
      for (const [index, client] of everyClient.entries()) {
        test(`${client.name} (T34)`, async () => {
          const failures: string[] = [];
          for (const way of everyWay) {
            const cell = { server, client, way };
            const verdict = await runCell(ground, cell, index);
            results.push({ cell, verdict });
            if (verdict.kind === 'failed') {
              const said = verdict.failures.join('; ');
              failures.push(`${way.mode} IPv${way.family}: ${said}\n${verdict.transcript.slice(-3000)}`);
            }
          }
          assert.equal(failures.join('\n\n'), '');
        });
      }
    });

    test(
      kind.secured ? 'nothing of it can be read on the wire' : 'without TLS all of it can be read',
      async () => {
        const report = await wire.finish([
          { name: 'password', bytes: Buffer.from(login.password) },
          { name: 'user', bytes: Buffer.from(`USER ${login.user}`) },
          { name: 'file content', bytes: marker },
        ]);
        assert.equal(report.dropped, 0, 'a packet that was not captured proves nothing');
        assert.ok(report.flows.length > 100, `only ${report.flows.length} connections were captured`);
        const seen = [...report.sightings].filter(([, places]) => places.length > 0).map(([name]) => name);
        assert.deepEqual(seen, kind.secured ? [] : ['password', 'user', 'file content']);
        if (!kind.secured) return;
        // In active mode the server opens the data connection, and TLS is begun by the FTP client all the same.
        const data = report.flows.filter((flow) => flow.accepterPort !== 21 && flow.openerPort !== 21);
        const used = data.flatMap((flow) => [flow.openerFirst ?? [], flow.accepterFirst ?? []].flat());
        assert.ok(used.length > 100, 'too few data connections for the work that was done');
        assert.deepEqual(
          used.filter((first) => !isTlsHandshake(first) && first.length > 0),
          [],
        );
      },
    );
  });
}
