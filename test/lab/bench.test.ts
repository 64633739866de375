// A smoke run of the benchmark: everything that it measures works, at every contender that is there. No number is
// judged, because a test must not depend on how busy a machine is.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { contenderNames } from '../bench/contenders/contender.js';
import { hasModProxy } from '../bench/contenders/mod-proxy.js';
import type { Report } from '../bench/report/report.js';
import { metricNames } from '../bench/results.js';
import { run } from './harness/command.js';

const out = mkdtempSync(path.join(tmpdir(), 'ftpseal-bench-'));
after(() => {
  rmSync(out, { recursive: true, force: true });
});

test('a quick benchmark measures everything and writes table, page, plot and numbers', async () => {
  const main = fileURLToPath(new URL('../bench/main.js', import.meta.url));
  const finished = await run({}, [process.execPath, main, '--quick', '--out', out], { timeoutMs: 300_000 });
  assert.equal(finished.code, 0, finished.stderr);
  const report = JSON.parse(readFileSync(path.join(out, 'latest.json'), 'utf8')) as Report;
  const expected = contenderNames.filter((name) => name !== 'mod_proxy' || hasModProxy());
  assert.deepEqual(report.contenders, expected);
  for (const metric of metricNames) {
    const measured = report.samples.filter((sample) => sample.metric === metric);
    const able = expected.filter(
      (name) => metric !== 'idle-memory' || name === 'ftpseal' || name === 'mod_proxy',
    );
    assert.deepEqual(measured.map((sample) => sample.contender).sort(), [...able].sort(), metric);
    if (metric !== 'idle-memory')
      assert.ok(
        measured.every((sample) => sample.value > 0),
        metric,
      );
  }
  assert.equal(report.foreign?.withRules.length, report.sizes.foreignBatches);
  assert.match(readFileSync(path.join(out, 'latest.md'), 'utf8'), /^# Benchmark/);
  assert.match(readFileSync(path.join(out, 'latest.svg'), 'utf8'), /^<svg/);
  assert.match(finished.stdout, /download, one stream/);
});
