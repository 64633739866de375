// `npm test [unit|fuzz|wine|desktop|lab]`: installs what is missing, builds, lints and runs the tests; the last line is
// `N passed, N failed, N skipped`. `npm run test:fuzz -- --minutes N` fuzzes and walks the model for so long. Desktop and lab need root; without it each of their files counts as skipped, with the reason.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { ensurePrerequisites, repository, say } from './prerequisites.mjs';
import { compile, ensureBuilt, ensureNodeModules, filesIn } from './project.mjs';
import { ensureWine } from './wine.mjs';

const parts = ['unit', 'fuzz', 'wine', 'desktop', 'lab'];
const part = process.argv[2];
const total = { passed: 0, failed: 0, skipped: 0 };
/** Files with a second run that went well after one that did not. */
const passedAlone = [];
/** More files than this don't fail for want of quiet. */
const secondRuns = 4;
/** Each makes its ground, or says why it can't be had here. */
const grounds = { wine: groundOfWine, desktop: () => obstacle('desktop'), lab: () => obstacle('lab') };
/** For a file that hangs; the slowest takes about a minute. */
const hangLimit = '--test-timeout=600000';
const outcomeReporter = new URL('outcome-reporter.mjs', import.meta.url).href;
const scratch = path.join(repository, '.lab');
/** Of a deep run of the fuzzers and the model check. */
const minutes = part === 'fuzz' && process.argv[3] === '--minutes' ? Number(process.argv[4]) : undefined;

if ((part !== undefined && !parts.includes(part)) || (minutes !== undefined && !(minutes > 0))) {
  console.error(`usage: npm test [${parts.join('|')}]; npm run test:fuzz -- --minutes N`);
  process.exit(2);
}
try {
  await main();
} catch (error) {
  console.error(`npm test: ${error.message}`);
  total.failed += 1;
}
for (const file of passedAlone)
  say(`failed beside other tests, passed when run again alone; worth a look: ${file}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function main() {
  mkdirSync(scratch, { recursive: true });
  ensureNodeModules();
  if (part === undefined || part === 'unit') checks();
  else ensureBuilt();
  if (part === undefined || part === 'unit') runUnit();
  if (minutes !== undefined) deepen();
  if (part === undefined || part === 'fuzz')
    runTests('fuzz', ['--test-concurrency=2', ...(minutes === undefined ? [hangLimit] : [])]);
  if (minutes !== undefined) runTests('model', []);
  const grounded = Object.keys(grounds).filter((kind) => part === undefined || part === kind);
  if (grounded.length > 0) await runGrounded(grounded);
}

/** The tests read their time from the environment; the states of a deep walk need room. */
function deepen() {
  process.env.FTPSEAL_FUZZ_MINUTES = String(minutes);
  process.env.FTPSEAL_MODEL_STATES = '100000000';
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --max-old-space-size=6000`;
}

/** Compiler, linter and formatter; each counts as one test. */
function checks() {
  ensureBuilt();
  check('tsc', compile);
  check('eslint', () => tool('eslint/bin/eslint.js', ['.']));
  check('prettier', () => tool('prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']));
}

function check(name, action) {
  say(`checking with ${name}`);
  try {
    action();
    total.passed += 1;
  } catch (error) {
    console.error(error.message);
    total.failed += 1;
  }
}

function tool(script, args) {
  const result = spawnSync(process.execPath, [path.join(repository, 'node_modules', script), ...args], {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) throw new Error(`${path.dirname(script)} found something`);
}

function runUnit() {
  const missing = ensurePrerequisites('unit');
  if (missing !== undefined) say(`unit tests that need it are skipped: ${missing}`);
  runTests('unit', ['--test-concurrency=2', hangLimit]);
}

/** Tests that need more than Node: side by side, for most of their time they wait. */
async function runGrounded(kinds) {
  const table = path.join(scratch, 'matrix.txt');
  if (kinds.includes('lab')) rmSync(table, { force: true });
  const files = [];
  for (const kind of kinds) {
    const reason = await grounds[kind]();
    if (reason === undefined) {
      files.push(...testFiles(kind));
      continue;
    }
    say(`${kind} tests are skipped: ${reason}`);
    total.skipped += testFiles(kind).length;
  }
  // The limit is for a file that hangs; the matrix alone takes minutes.
  const options = [`--test-concurrency=${availableParallelism() + 1}`, '--test-timeout=1500000'];
  runFiles(kinds.join(', '), files, options);
  if (kinds.includes('lab') && existsSync(table)) console.log(readFileSync(table, 'utf8'));
}

/** The program as Windows would run it; each part of the ground is made when it is missing. */
async function groundOfWine() {
  if (process.platform !== 'linux') return `Wine is used on Linux, this is ${process.platform}`;
  const missing = ensurePrerequisites('wine');
  if (missing === undefined) await ensureWine();
  return missing;
}

/** Why tests in network namespaces can't run here, or undefined. */
function obstacle(kind) {
  if (process.platform !== 'linux')
    return `network namespaces exist on Linux only, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'not root, and network namespaces need root';
  const missing = ensurePrerequisites(kind);
  if (missing !== undefined) return missing;
  const name = `fs-probe-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
  return made.status === 0 ? undefined : `this machine permits no network namespaces (${made.stderr.trim()})`;
}

function testFiles(kind) {
  const root = path.join(repository, 'dist/test');
  return filesIn(root, '.test.js')
    .filter((file) => isOfKind(path.relative(root, file), kind))
    .sort();
}

/** The model check is one of the unit tests, and a kind of its own in a deep run. */
function isOfKind(relative, kind) {
  return kind === 'model' ? relative.startsWith(`model${path.sep}`) : kindOf(relative) === kind;
}

function kindOf(relative) {
  const folder = relative.split(path.sep)[0];
  return ['lab', 'fuzz', 'desktop', 'wine'].includes(folder) ? folder : 'unit';
}

function runTests(kind, options) {
  runFiles(kind, testFiles(kind), options);
}

/**
 * Files run side by side, and some lean on the machine's speed without anybody meaning it. A few that failed get a second run, one after
 * the other; that one counts, and the end of the report names them.
 */
function runFiles(title, files, options) {
  if (files.length === 0) return;
  say(`running ${files.length} ${title} test files`);
  const first = runOnce(files, options);
  const again = first.failedFiles;
  if (first.failed === 0 || again.length === 0 || again.length > secondRuns) return add(first);
  say(`running again, alone: ${again.map((file) => path.relative(repository, file)).join(', ')}`);
  const second = runOnce(again, [...options, '--test-concurrency=1']);
  const good = again.filter((file) => second.failed === 0 || !second.failedFiles.includes(file));
  passedAlone.push(...good.map((file) => path.relative(repository, file)));
  const repaired = Math.max(0, first.failed - second.failed);
  add({ ...first, failed: second.failed, passed: first.passed + repaired });
}

function add({ passed, failed, skipped }) {
  total.passed += passed;
  total.failed += failed;
  total.skipped += skipped;
}

/** The spec report goes to the terminal, the outcome comes from a second reporter. */
function runOnce(files, options) {
  const destination = path.join(scratch, `outcome-${process.pid}.json`);
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout'];
  reporters.push(`--test-reporter=${outcomeReporter}`, `--test-reporter-destination=${destination}`);
  const result = spawnSync(process.execPath, ['--test', ...options, ...reporters, ...files], {
    cwd: repository,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const text = existsSync(destination) ? readFileSync(destination, 'utf8') : '';
  rmSync(destination, { force: true });
  // A runner that died without a report is a failure of its own.
  if (text === '') return { passed: 0, failed: 1, skipped: 0, failedFiles: [] };
  const { counts, failedFiles } = JSON.parse(text);
  const failed = counts.fail + counts.cancelled;
  return {
    passed: counts.pass,
    failed: failed === 0 && result.status !== 0 ? 1 : failed,
    skipped: counts.skipped + counts.todo,
    failedFiles: failedFiles.filter((file) => files.includes(file)),
  };
}
