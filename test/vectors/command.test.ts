// The words behind `npm run vectors --`; what it runs has tests of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { repository } from '../lab/harness/server.js';

/** Ended by the time limit if it should begin to run the tests. */
function vectors(...words: readonly string[]) {
  const program = path.join(repository, 'installers/dev/vectors.mjs');
  return spawnSync(process.execPath, [program, ...words], { encoding: 'utf8', timeout: 20_000 });
}

test('npm run vectors says what it does', () => {
  for (const word of ['--help', '-h']) {
    const { status, stdout, stderr } = vectors(word);
    assert.match(stdout, /^usage: npm run vectors/);
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  }
});

test('an argument of npm run vectors that it does not know is an error, and nothing runs', () => {
  for (const words of [['T99'], ['--only', 'T01'], ['--help', '--quick'], ['']]) {
    const { status, stdout, stderr } = vectors(...words);
    assert.match(stderr, /^npm run vectors: it takes no .*\nusage: npm run vectors/);
    assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
  }
});
