// Ratios within rounds, and the goals that they are held against.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { downloadMetric, samplesOf } from './report-fixture.js';
import { redirectSheet } from './redirect/sheet.js';
import { judge, ratio, summarise, type Goal } from './results.js';

const pair = { contender: 'ftpseal', reference: 'mod_proxy' } as const;

test('a ratio compares within the rounds, so a machine that gets slower in the middle changes nothing', () => {
  const samples = [
    ...samplesOf('download', 'ftpseal', [200, 20, 190]),
    ...samplesOf('download', 'mod_proxy', [100, 10, 100]),
  ];
  assert.deepEqual(ratio(samples, 'download', pair), { median: 2, range: { low: 1.9, high: 2 } });
});

test('rounds that only one of them has are left out of a ratio', () => {
  const samples = [
    ...samplesOf('download', 'ftpseal', [100, 900]),
    ...samplesOf('download', 'mod_proxy', [100]),
  ];
  assert.equal(ratio(samples, 'download', pair)?.median, 1);
  assert.equal(ratio(samples, 'logins', pair), undefined);
});

test('a summary holds the median and the range', () => {
  const summary = summarise(samplesOf('download', 'plain', [3, 1, 2], 0.5), downloadMetric, 'plain');
  assert.equal(summary?.value, 2);
  assert.deepEqual(summary.range, { low: 1, high: 3 });
  assert.equal(summary.cpu, 0.5);
  assert.equal(summarise([], downloadMetric, 'plain'), undefined);
});

test('goals are judged in their own direction', () => {
  const judged = (ftpseal: number, cpu: number): readonly (readonly [string, boolean])[] =>
    judge(
      [...samplesOf('download', 'ftpseal', [ftpseal], cpu), ...samplesOf('download', 'mod_proxy', [100], 1)],
      redirectSheet.goals,
      pair,
    ).map((verdict) => [verdict.goal.text, verdict.met] as const);
  assert.deepEqual(judged(130, 0.7), [
    ['bulk download', true],
    ['CPU per GiB, download', true],
  ]);
  assert.deepEqual(judged(129, 0.71), [
    ['bulk download', false],
    ['CPU per GiB, download', false],
  ]);
});

test('a goal may be a difference to a contender, or a figure by itself; without samples it is not judged', () => {
  const goals: readonly Goal[] = [
    { text: 'noop', metric: 'noop', of: 'value', bound: { kind: 'at most', beyond: 150, to: 'plain' } },
    { text: 'start', metric: 'start', of: 'value', bound: { kind: 'at most', amount: 400 } },
    { text: 'alone', metric: 'alone', of: 'value', bound: { kind: 'at most', beyond: 1, to: 'plain' } },
  ];
  const samples = [
    ...samplesOf('noop', 'ftpseal', [200, 300, 190]),
    ...samplesOf('noop', 'plain', [30, 200, 50]),
    ...samplesOf('start', 'ftpseal', [390, 401, 500]),
    ...samplesOf('alone', 'ftpseal', [1]),
  ];
  assert.deepEqual(
    judge(samples, goals, pair).map(({ goal, reference, outcome, met }) => [
      goal.text,
      reference,
      outcome.median,
      met,
    ]),
    [
      ['noop', 'plain', 140, true],
      ['start', undefined, 401, false],
    ],
  );
});
