// A smoke run of the benchmark: everything that each section measures works, at every contender that is there. No number is
// judged, because a test must not depend on how busy a machine is.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hasModProxy } from '../bench/redirect/mod-proxy.js';
import type { Report } from '../bench/report/report.js';
import { sections } from '../bench/sections.js';
import { run } from './harness/command.js';

const out = mkdtempSync(path.join(tmpdir(), 'ftpseal-bench-'));
after(() => {
  rmSync(out, { recursive: true, force: true });
});

const main = fileURLToPath(new URL('../bench/main.js', import.meta.url));
const atOut = (file: string): string => readFileSync(path.join(out, file), 'utf8');

for (const { sheet } of sections) {
  test(`a quick benchmark of ${sheet.name} measures everything and writes page, pictures and numbers`, async () => {
    const argv = ['--quick', '--only', sheet.name, '--out', out];
    const finished = await run({}, [process.execPath, main, ...argv], { timeoutMs: 300_000 });
    assert.equal(finished.code, 0, finished.stderr);
    const report = JSON.parse(atOut(`${sheet.name}.json`)) as Report;
    const names = Object.keys(sheet.contenders);
    assert.deepEqual(
      report.contenders,
      names.filter((name) => name !== 'mod_proxy' || hasModProxy()),
    );
    // Some work only ftpseal does, but no contender does none.
    for (const contender of report.contenders)
      assert.ok(
        report.samples.some((sample) => sample.contender === contender),
        contender,
      );
    for (const { name: metric } of report.metrics) {
      const measured = report.samples.filter((sample) => sample.metric === metric);
      assert.ok(
        measured.some((sample) => sample.contender === sheet.subject),
        metric,
      );
      if (!metric.startsWith('idle-memory'))
        assert.ok(
          measured.every((sample) => sample.value > 0),
          metric,
        );
    }
    if (sheet.name === 'redirect')
      assert.equal(report.foreign?.withRules.length, report.sizes['foreignBatches']);
    const page = atOut(`${sheet.name}.md`);
    assert.match(page, /^# Benchmark/);
    const pictures = [...page.matchAll(/\]\(([a-z-]+\.svg)\)/g)].map((match) => match[1] ?? '');
    // The bars of this one stand beside mod_proxy's.
    if (sheet.name !== 'redirect' || hasModProxy()) assert.ok(pictures.length > 0);
    for (const picture of pictures) assert.match(atOut(picture), /^<svg/);
    assert.ok(finished.stdout.includes(sheet.title));
  });
}
