// `npm run vectors`: runs every test that carries the number of a vector (T01 …) in its name, and prints what was done, what the
// client saw and the result. Without root the lab's are skipped, and said so. A number without any test is a failure, and so is a
// file that could not run its tests.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensurePrerequisites, repository, say } from './prerequisites.mjs';
import { ensureBuilt, ensureNodeModules, filesIn } from './project.mjs';

const NUMBER = /\bT[0-9]{2}\b/g;
const dist = path.join(repository, 'dist/test');
const scratch = path.join(repository, '.lab');
const started = Date.now();
const usage = `usage: npm run vectors [-- --help]

Runs every test that carries the number of a vector (T01, T02 …) in its name, and prints for each number what was done, what the
client saw and how many tests passed. Takes about a quarter of an hour. The tests in network namespaces need root and Linux;
without, they are skipped. Ends with 1 if a test failed or a number has none.`;
const given = process.argv.slice(2);
const stranger = given.find((word) => word !== '--help' && word !== '-h');

if (stranger !== undefined) {
  console.error(`npm run vectors: it takes no ${stranger}\n${usage}`);
  process.exit(2);
}
if (given.length > 0) {
  console.log(usage);
  process.exit(0);
}
try {
  mkdirSync(scratch, { recursive: true });
  ensureNodeModules();
  ensureBuilt();
  const { VECTORS } = await import(pathToFileURL(path.join(dist, 'vectors/table.js')).href);
  process.exitCode = report(VECTORS, runAll(VECTORS)) ? 0 : 1;
} catch (error) {
  console.error(`npm run vectors: ${error.message}`);
  process.exitCode = 1;
}

/** Results by number, and under '' what failed without one: a file whose tests did not run. */
function runAll(vectors) {
  const numbers = ['', ...vectors.map(({ number }) => number)];
  const results = new Map(numbers.map((number) => [number, { passed: 0, failed: [], skipped: 0 }]));
  const unit = filesWithNumbers(false);
  const lab = filesWithNumbers(true);
  say(`running ${unit.length} files without root`);
  note(results, run(unit, 2));
  const obstacle = labObstacle();
  if (obstacle === undefined) {
    say(`running ${lab.length} files in the lab; this takes minutes`);
    note(results, run(lab, 1));
  } else {
    say(`the lab is skipped: ${obstacle}`);
    for (const file of lab) for (const number of numbersIn(file)) add(results, number, 'skipped', file);
  }
  return results;
}

function labObstacle() {
  if (process.platform !== 'linux') return 'network namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'not root, and network namespaces need root';
  return ensurePrerequisites('lab');
}

/** The test files with a number in a test's name; transcripts are tests of the file that plays them. */
function filesWithNumbers(lab) {
  return filesIn(dist, '.test.js')
    .filter((file) => path.relative(dist, file).startsWith(`lab${path.sep}`) === lab)
    .filter((file) => file.endsWith('transcripts.test.js') || numbersIn(file).length > 0)
    .sort();
}

function numbersIn(file) {
  const names = readFileSync(file, 'utf8').match(/\b(?:it|test)\([`'"].*$/gm) ?? [];
  return [...new Set(names.flatMap((name) => name.match(NUMBER) ?? []))];
}

/** Whole files, because the tests of a lab file build on each other. */
function run(files, concurrency) {
  if (files.length === 0) return '';
  const out = path.join(scratch, `vectors-${process.pid}.tap`);
  const options = [`--test-concurrency=${concurrency}`, '--test-timeout=1500000', '--test-reporter=tap'];
  const { status } = spawnSync(
    process.execPath,
    ['--test', ...options, `--test-reporter-destination=${out}`, ...files],
    {
      cwd: repository,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const tap = existsSync(out) ? readFileSync(out, 'utf8') : '';
  if (status === 0) rmSync(out, { force: true });
  else say(`not all passed; what was said is in ${out}`);
  return tap;
}

function note(results, tap) {
  for (const line of tap.split('\n')) {
    const match = /^\s*(not ok|ok) [0-9]+ - (.*)$/.exec(line);
    if (match === null) continue;
    const skipped = /# (?:SKIP|TODO)/.test(match[2]);
    const outcome = skipped ? 'skipped' : match[1] === 'ok' ? 'passed' : 'failed';
    const numbers = new Set(match[2].match(NUMBER) ?? (outcome === 'failed' ? [''] : []));
    for (const number of numbers) add(results, number, outcome, match[2]);
  }
}

function add(results, number, outcome, name) {
  const result = results.get(number);
  if (result === undefined) return;
  if (outcome === 'failed') result.failed.push(name);
  else result[outcome] += 1;
}

/** Prints the table. True when nothing failed and each number has a test. */
function report(vectors, results) {
  const others = results.get('').failed;
  const rows = vectors.map((vector) => ({ ...vector, ...resultOf(results.get(vector.number)) }));
  const width = (key) => Math.max(...rows.map((row) => row[key].length));
  const [done, seen] = [width('done'), width('seen')];
  console.log(`     ${'What was done'.padEnd(done)}  ${'What the client saw'.padEnd(seen)}  Result`);
  for (const row of rows) {
    console.log(`${row.number}  ${row.done.padEnd(done)}  ${row.seen.padEnd(seen)}  ${row.words}`);
    if (row.elsewhere !== undefined) console.log(`     not here: ${row.elsewhere}`);
    for (const name of row.failed) console.log(`     failed: ${name}`);
  }
  for (const name of others) console.log(`failed, without a number: ${name}`);
  const fine = others.length === 0 && rows.every((row) => row.fine);
  console.log(`${fine ? 'every vector holds' : 'not every vector holds'}: ${counts(rows)}`);
  return fine;
}

function resultOf({ passed, failed, skipped }) {
  const missing = passed + failed.length + skipped === 0;
  const words = [];
  if (passed > 0) words.push(`${passed} passed`);
  if (skipped > 0) words.push(`${skipped} skipped`);
  if (failed.length > 0) words.push(`${failed.length} FAILED`);
  if (missing) words.push('NO TEST');
  return { passed, failed, skipped, fine: failed.length === 0 && !missing, words: words.join(', ') };
}

function counts(rows) {
  const sum = (count) => rows.reduce((total, row) => total + count(row), 0);
  const [passed, skipped] = [sum((row) => row.passed), sum((row) => row.skipped)];
  const minutes = Math.ceil((Date.now() - started) / 60_000);
  return `${rows.length} numbers, ${passed} results passed, ${sum((row) => row.failed.length)} failed, ${skipped} skipped, in ${minutes} min`;
}
