// Every transcript of test/transcripts, each whole, byte by byte and at random cuts. FTPSEAL_SEED repeats a run.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { bytewise, play, randomCuts, whole, type Cut } from '../../transcripts/playback.js';
import { readCases, readPreludes, type Case } from '../../transcripts/scenario.js';

const RANDOM_RUNS = 8;
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000);
const folder = findFolder();
const preludes = readPreludes(readFileSync(path.join(folder, 'preludes'), 'utf8'));
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

console.log(`transcripts: ${files.length} files, seed ${seed}`);

for (const file of files) {
  describe(file, () => {
    for (const scenario of readCases(file, readFileSync(path.join(folder, file), 'utf8'), preludes)) {
      it(scenario.title, () => {
        check(scenario, 'whole', whole);
        if (scenario.uncut !== undefined) return;
        check(scenario, 'byte by byte', bytewise);
        for (let run = 0; run < RANDOM_RUNS; run += 1)
          check(scenario, `FTPSEAL_SEED=${seed}, run ${run}`, randomCuts(seed + run));
      });
    }
  });
}

function check(scenario: Case, how: string, cut: Cut): void {
  const difference = play(scenario, cut);
  if (difference !== undefined)
    assert.fail(`${scenario.file}: ${scenario.title} (${how})\n- expected, + actual\n${difference}`);
}

/** The transcripts are not compiled: they lie in the source tree, above the build or where the test was started. */
function findFolder(): string {
  for (let at = import.meta.dirname; ; at = path.dirname(at)) {
    const candidate = path.join(at, 'test/transcripts/preludes');
    if (existsSync(candidate)) return path.dirname(candidate);
    if (path.dirname(at) === at) return path.resolve('test/transcripts');
  }
}
