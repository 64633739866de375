// What is left of a run, and what is kept of one that does not get to its end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Estimate, formatDuration, timed } from './progress.js';
import { samplesOf } from './report-fixture.js';
import { runRounds } from './rounds.js';
import { SectionWatch } from './section-watch.js';
import type { Entrant, Work } from './work.js';

test('what was never done takes as long as the others, what was done as long as the last time', () => {
  const estimate = new Estimate();
  estimate.expect(['a', 'a', 'b', 'c']);
  assert.equal(estimate.left(), undefined);
  estimate.done('a', 100);
  assert.equal(estimate.left(), 300);
  estimate.done('b', 400);
  assert.equal(estimate.left(), 100 + 250);
  estimate.done('a', 200);
  estimate.done('c', 50);
  assert.equal(estimate.left(), 0);
});

test('durations are as exact as they are worth', () => {
  assert.equal(formatDuration(42_400), 'about 42 s');
  assert.equal(formatDuration(600_000), 'about 10 min');
  assert.equal(formatDuration(2 * 3_600_000 + 5 * 60_000), 'about 2 h 5 min');
});

test('a failure is not counted as done', async () => {
  const done: string[] = [];
  const progress = { done: (name: string) => void done.push(name) };
  await assert.rejects(timed(progress, 'a', () => Promise.reject(new Error('no'))));
  assert.equal(await timed(progress, 'b', () => Promise.resolve(7)), 7);
  assert.deepEqual(done, ['b']);
});

test('a run that fails in its second round leaves what it measured before, and told how much was left', async () => {
  const lines: string[] = [];
  const watch = new SectionWatch((line) => lines.push(line), {
    sections: 2,
    milliseconds: 60_000,
    unknown: 1,
  });
  const entrants: readonly Entrant[] = [
    { name: 'one', log: () => '' },
    { name: 'two', log: () => '' },
  ];
  let times = 0;
  const work: Work<Entrant, undefined> = {
    metric: { name: 'w', title: 'some work', unit: 'ms', better: 'less', cpuPer: undefined },
    obstacle: () => undefined,
    perform: () => {
      times += 1;
      if (times > 3) return Promise.reject(new Error('broken'));
      return Promise.resolve({ value: times, cpu: undefined, clientCpu: undefined, raw: {} });
    },
  };
  await assert.rejects(
    runRounds({ entrants, work: [work], context: undefined, rounds: 2, progress: watch }),
    /failed/,
  );
  assert.deepEqual(
    watch.samples.map(({ round, value }) => [round, value]),
    [
      [1, 1],
      [1, 2],
      [2, 3],
    ],
  );
  assert.match(
    lines[0] ?? '',
    /round 1\/2 .* left: about 0 s, then 2 more sections \(about 60 s, and 1 of them not known\)$/,
  );
  watch.keep(samplesOf('w', 'one', [1]));
  assert.equal(watch.samples.length, 4);
});
