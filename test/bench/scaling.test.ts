// The curves and tables of scaling, and the files with many keys, which must be what ftpseal itself reads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyFileSchema, MAX_RECORDS } from '../../daemon/trust/pin-record.js';
import { reportOf, samplesOf } from './report-fixture.js';
import type { Report } from './report/report.js';
import type { Sample } from './results.js';
import { drawScaling, keyTable, sessionTable } from './scaling/curves.js';
import { keysFolder, keyStore } from './scaling/known-keys.js';
import { scalingSheet } from './scaling/sheet.js';
import { fullSizes } from './scaling/sizes.js';

const subject = scalingSheet.subject;
const own = `SHA256:${'A'.repeat(43)}`;
const certificate = { certificate: '', key: '', both: '', fingerprint: own };
const server = { address: '192.0.2.1', certificate };

function withRaw(samples: readonly Sample[], raw: Readonly<Record<string, number>>): readonly Sample[] {
  return samples.map((sample) => ({ ...sample, raw }));
}

const report: Report = {
  ...reportOf([
    ...samplesOf('download-16', subject, [300, 500, 400], 2),
    ...samplesOf('download-1', subject, [100], 1),
    ...samplesOf('sessions-0', subject, [100]),
    ...samplesOf('sessions-250', subject, [125]),
    ...samplesOf('sessions-1000', subject, [200]),
    ...withRaw(samplesOf('keys.json-10', subject, [20], 8), { pss: 110 * 2 ** 20, startMs: 700 }),
    ...withRaw(samplesOf('keys.json-10000', subject, [40], 30), { pss: 150 * 2 ** 20, startMs: 900 }),
    ...withRaw(samplesOf('keys.d-10', subject, [21], 9), { pss: 111 * 2 ** 20, startMs: 701 }),
  ]),
  contenders: [subject],
};

test('curves go through the medians, from the smallest number to the largest; no session is a level line', () => {
  const pictures = new Map(drawScaling(report, scalingSheet).map(({ name, svg }) => [name, svg]));
  assert.deepEqual(
    [...pictures.keys()],
    [
      'scaling-download',
      'scaling-download-cpu',
      'scaling-sessions',
      ...['login', 'cpu', 'memory', 'start'].map((name) => `scaling-keys-${name}`),
    ],
  );
  const line = /<polyline points="([\d.]+),([\d.]+) ([\d.]+),([\d.]+)"/.exec(
    pictures.get('scaling-download') ?? '',
  );
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = (line ?? []).slice(1).map(Number);
  assert.ok(x1 < x2 && y1 > y2, 'sixteen streams are to the right of one, and higher');
  assert.match(pictures.get('scaling-download') ?? '', />ftpseal-2 400</);
  assert.match(pictures.get('scaling-sessions') ?? '', />no session 100</);
});

test('the tables say what a session takes beyond the base, and what each store takes by its keys', () => {
  const sessions = sessionTable(report, subject).lines.map((line) => line.slice(0, 3));
  assert.deepEqual(sessions.slice(1), [
    ['0', '100', '–'],
    ['250', '125', '102'],
    ['1000', '200', '102'],
  ]);
  assert.deepEqual(keyTable(report, subject).lines.slice(1), [
    ['10', '20.0', '8.00', '110', '700', '21.0', '9.00', '111', '701'],
    ['10000', '40.0', '30.0', '150', '900', '–', '–', '–', '–'],
  ]);
});

test('the files with keys are what ftpseal reads, the server’s own key last, and the curve ends where the stores do', () => {
  assert.equal(fullSizes.keys.at(-1), MAX_RECORDS);
  const many = 3000;
  const { pins, secured } = keyFileSchema.parse(JSON.parse(keyStore(many, server)));
  assert.equal(new Set(pins.map(({ address }) => address)).size, many);
  assert.equal(new Set(pins.map(({ fingerprint }) => fingerprint)).size, many);
  assert.equal(secured.length, many);
  assert.deepEqual([pins.at(-1)?.fingerprint, pins.at(-1)?.address], [own, server.address]);

  const given = [...keysFolder(7000, server).values()].flatMap(
    (text) => keyFileSchema.parse(JSON.parse(text)).pins,
  );
  assert.equal(new Set(given.map(({ address }) => address)).size, 7000);
  assert.equal(given.at(-1)?.fingerprint, own);
});
