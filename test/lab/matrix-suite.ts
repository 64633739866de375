// The matrix as a suite, whatever redirects: every plain client to every server, every way, and what can be read on the wire. The table
// goes to the test output and to .lab.
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
import { repository, type LabServer, type ServerKind } from './harness/server.js';
import { formatLimits, formatMatrix, runCell, type Cell, type MatrixGround, type Verdict } from './matrix.js';
import { matrixServers } from './servers/all.js';

export interface MatrixOptions {
  /** The redirect layer; undefined: the machine's own. */
  readonly layer: string | undefined;
  /** The big file that goes both ways. */
  readonly hugeBytes: number;
  /** The file whose transfer is aborted: long enough to last until then. */
  readonly longBytes: number;
  /** Clients at a time: much of the time goes into waiting (for ProFTPD between two logins, for a second reply to ABOR). */
  readonly atOnce: number;
  /** The table's file in .lab. */
  readonly table: string;
  readonly title: (kind: ServerKind) => string;
}

/** A developer in a hurry may take one server, and a smaller big file. */
const only = process.env['FTPSEAL_LAB_SERVER'];
const huge = process.env['FTPSEAL_LAB_HUGE'];

/** Declares the tests; to be called once a file. */
export function matrixSuite({ layer, hugeBytes, longBytes, atOnce, table, title }: MatrixOptions): void {
  let lab: Lab;
  let daemon: Daemon;
  let ground: MatrixGround;
  const servers: LabServer[] = [];
  const results: { cell: Cell; verdict: Verdict }[] = [];

  before(async () => {
    lab = await openLab();
    const program = await stageProgram(lab);
    const file = path.join(lab.folder, 'huge.bin');
    writeContent(file, huge === undefined ? hugeBytes : Number(huge));
    ground = { lab, program, huge: { file, sha256: sha256(file) ?? '' }, longBytes };
    const divert = layer === undefined ? '' : `[divert]\nlayer = "${layer}"\n`;
    daemon = await startDaemon(lab, 'matrix', acceptNew + divert);
  });

  after(async () => {
    const text = `${formatMatrix(results)}\n${formatLimits(everyClient, servers)}`;
    mkdirSync(path.join(repository, '.lab'), { recursive: true });
    writeFileSync(path.join(repository, '.lab', table), text);
    console.log(`\n${text}`);
    await daemon.stop();
    await lab.close();
  });

  const wanted = matrixServers.filter(({ name }) => only === undefined || name === only);
  if (wanted.length === 0) throw new Error(`the matrix has no server ${only ?? ''}`);
  for (const kind of wanted) {
    describe(title(kind), () => {
      let server: LabServer;
      let wire: Awaited<ReturnType<typeof capture>>;

      before(async () => {
        server = await lab.server(kind);
        servers.push(server);
        const file = path.join(lab.folder, `${kind.name}.pcap`);
        wire = await capture(lab.network.srv, file, [server.address.ipv4, server.address.ipv6]);
      });

      after(() => server.stop());

      describe('clients', { concurrency: atOnce }, () => {
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
}
