// Every transcript of test/transcripts, each whole, byte by byte and at random cuts. FTPSEAL_SEED repeats a run.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { casesOf, TRANSCRIPTS } from '../../transcripts/files.js';
import { bytewise, play, randomCuts, whole, type Cut } from '../../transcripts/playback.js';
import type { Case } from '../../transcripts/scenario.js';

const RANDOM_RUNS = 8;
const seed = Number(process.env['FTPSEAL_SEED'] ?? Date.now() % 1_000_000);

console.log(`transcripts: ${TRANSCRIPTS.length} files, seed ${seed}`);

for (const file of TRANSCRIPTS) {
  describe(file, () => {
    for (const scenario of casesOf(file)) {
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
