// The lab's clients against plain servers, with no ftpseal in between: proves that the drivers do what they say,
// so that a failure in the matrix is ftpseal's.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { everyClient, everyWay } from './clients/all.js';
import { openLab, type Lab } from './harness/lab.js';
import { sha256, writeContent } from './harness/payload.js';
import type { LabServer } from './harness/server.js';
import { stage } from './harness/stage.js';
import { formatLimits, formatMatrix, runCell, type Cell, type MatrixGround, type Verdict } from './matrix.js';
import { plainServers } from './servers/all.js';

/** The first server gets every way, the others prove only that they and the clients can work together. */
const fewWays = everyWay.filter(
  (way) => way.family === 4 && (way.mode === 'extended passive' || way.mode === 'active'),
);

let lab: Lab;
let ground: MatrixGround;
const servers = new Map<string, LabServer>();
const results: { cell: Cell; verdict: Verdict }[] = [];

before(async () => {
  lab = await openLab();
  const program = path.join(lab.folder, 'program');
  await stage(program);
  const file = path.join(lab.folder, 'huge.bin');
  writeContent(file, 10_000_000);
  ground = { lab, program, huge: { file, sha256: sha256(file) ?? '' }, longBytes: 1_000_000_000 };
  for (const kind of plainServers) servers.set(kind.name, await lab.server(kind));
});

after(async () => {
  console.log(`\n${formatMatrix(results)}\n${formatLimits(everyClient, [...servers.values()])}`);
  await lab.close();
});

for (const kind of plainServers) {
  describe(`${kind.name} without ftpseal`, () => {
    for (const [index, client] of everyClient.entries()) {
      test(client.name, async () => {
        const failures: string[] = [];
        for (const way of kind === plainServers[0] ? everyWay : fewWays) {
          const cell = { server: servers.get(kind.name)!, client, way };
          const verdict = await runCell(ground, cell, index);
          results.push({ cell, verdict });
          if (verdict.kind === 'failed')
            failures.push(
              `${way.mode} IPv${way.family}: ${verdict.failures.join('; ')}\n${verdict.transcript.slice(-6000)}`,
            );
        }
        assert.deepEqual(failures, []);
      });
    }
  });
}
