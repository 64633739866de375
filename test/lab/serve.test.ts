// The server proxy in front of plain servers: FTPS programs that we did not write, every way of asking for protection, every kind
// of data connection, and what an eavesdropper sees of it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { login } from './harness/account.js';
import { capture } from './harness/capture.js';
import { stageProgram } from './harness/ftpseal.js';
import { openLab, type Lab } from './harness/lab.js';
import { marker } from './harness/payload.js';
import { startBackend, startServe, type Serve } from './harness/serve.js';
import type { LabServer, ServerKind } from './harness/server.js';
import {
  basicFtpClient,
  curlClient,
  lftpClient,
  pythonClient,
  type FtpsClient,
  type Way,
  type Word,
} from './serve/ftps-clients.js';
import { cleanUp, faultsOf, layOut } from './serve/ground.js';
import { proftpdPlain } from './servers/proftpd.js';
import { pureFtpdPlain } from './servers/pure-ftpd.js';
import { pyftpdlibPlain } from './servers/pyftpdlib.js';
import { vsftpdPlain } from './servers/vsftpd.js';

const words: readonly Word[] = ['TLS', 'implicit', 'SSL', 'TLS-P', 'TLS-C'];
const kinds: readonly ServerKind[] = [vsftpdPlain, proftpdPlain, pureFtpdPlain, pyftpdlibPlain];
const ways: readonly Omit<Way, 'word'>[] = [
  { active: false, extended: true },
  { active: false, extended: false },
  { active: true, extended: true },
  { active: true, extended: false },
];

let lab: Lab;
let clients: readonly FtpsClient[];

before(async () => {
  lab = await openLab();
  const program = await stageProgram(lab);
  clients = [curlClient, lftpClient, pythonClient, basicFtpClient(program)];
});

after(async () => {
  await lab.close();
});

interface Stand {
  readonly backend: LabServer;
  readonly serve: Serve;
}

async function stand(kind: ServerKind, name: string, lines: readonly string[] = []): Promise<Stand> {
  const backend = await startBackend(lab, kind);
  return { backend, serve: await startServe(lab, name, `${backend.address.ipv4}:21`, lines) };
}

/** One cell; undefined where the client can't do it. */
async function cell(
  { backend, serve }: Stand,
  client: FtpsClient,
  way: Way,
  family: 4 | 6,
): Promise<readonly string[] | undefined> {
  if (client.obstacle(way, family) !== undefined) return undefined;
  const name = `${client.name}-${way.word}-${String(way.active)}-${String(way.extended)}-${family}-${way.version ?? 0}`;
  const work = layOut(lab, backend, name);
  const address = family === 4 ? serve.address.ipv4 : serve.address.ipv6;
  const said = await client.perform({ ...way, ...work, lab, address });
  const noEmptyUpload = client.noEmptyUpload === true && way.word !== 'none';
  const faults = faultsOf(lab, backend, work, { said, noEmptyUpload });
  cleanUp(backend, work);
  return faults.length === 0
    ? []
    : [`${name}: ${faults.join('; ')}\n${said.slice(-5000)}\n${serve.log().slice(-2500)}`];
}

for (const [index, kind] of kinds.entries()) {
  describe(`in front of ${kind.name}`, () => {
    let place: Stand;
    before(async () => {
      place = await stand(kind, kind.name);
    });
    after(async () => {
      await place.serve.stop();
    });

    for (const at of [0, 1, 2, 3]) {
      test(`client ${at}: explicit and implicit, passive and active, IPv4 and IPv6, session reuse required`, async (t) => {
        const client = clients[at]!;
        t.diagnostic(client.name);
        const before = serveSecured(place.serve);
        const wire = await capture(lab.network.srv, path.join(lab.folder, `${kind.name}-${at}.pcap`), [
          place.serve.address.ipv4,
          place.serve.address.ipv6,
        ]);
        const failures: string[] = [];
        let done = 0;
        for (const [turn, way] of ways.entries()) {
          for (const family of [4, 6] as const) {
            // The first server gets every word one way, the others take turns.
            if (client.obstacle({ ...way, word: 'TLS' }, family) !== undefined) continue;
            const isFirst = index === 0 && turn === 0 && family === 4;
            const own = words.filter((word) => client.obstacle({ ...way, word }, family) === undefined);
            const chosen = isFirst ? own : own.slice((turn + at) % own.length).slice(0, 1);
            for (const word of chosen) {
              const result = await cell(place, client, { ...way, word }, family);
              if (result !== undefined) done += 1;
              failures.push(...(result ?? []));
            }
          }
        }
        const seen = await wire.finish([
          { name: 'password', bytes: Buffer.from(login.password) },
          { name: 'file', bytes: marker },
        ]);
        assert.equal(failures.join('\n'), '');
        assert.deepEqual(seen.sightings.get('password'), []);
        assert.deepEqual(seen.sightings.get('file'), []);
        t.diagnostic(
          `${done} cells, ${serveSecured(place.serve) - before} encrypted connections, ${seen.packets} packets`,
        );
        assert.ok(done > 0 && seen.packets > 0);
      });
    }

    test('TLS 1.2 and TLS 1.3', async () => {
      const failures: string[] = [];
      for (const client of clients) {
        for (const version of [2, 3] as const) {
          const way = { word: 'TLS', active: false, extended: true, version } as const;
          failures.push(...((await cell(place, client, way, 4)) ?? []));
        }
      }
      assert.equal(failures.join('\n'), '');
      assert.match(place.serve.log(), /protocol=TLSv1\.2/);
      assert.match(place.serve.log(), /protocol=TLSv1\.3/);
    });
  });
}

/** Control connections that have been encrypted. */
function serveSecured(serve: Serve): number {
  return serve.log().split('encrypted session=').length - 1;
}
