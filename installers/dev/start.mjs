// `npm start`: from a fresh checkout to a running ftpseal, in one command. As root the daemon intercepts this
// machine's FTP; for anybody else there is the explicit proxy. Further arguments go to ftpseal unchanged.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ensurePrerequisites, repository, say } from './prerequisites.mjs';
import { ensureBuilt, ensureNodeModules } from './project.mjs';
import { isWorldReadable, stageNode, stageProgram } from './stage.mjs';

const passedOn = process.argv.slice(2);

try {
  ensureNodeModules();
  ensureBuilt();
  if (process.getuid?.() === 0) await startDaemon();
  else startExplicitProxy();
} catch (error) {
  console.error(`npm start: ${error.message}`);
  process.exitCode = 1;
}

async function startDaemon() {
  const reason = ensurePrerequisites('start');
  if (reason !== undefined) throw new Error(reason);
  const folder = await programFolder();
  const node = stageNode(folder);
  const program = path.join(folder, 'dist/daemon/main.js');
  say(`on a desktop, icon and questions come with this, as the person and not as root: node ${program} tray`);
  say('starting ftpseal; Ctrl-C stops it and removes its rules');
  run(node, [
    program,
    'daemon',
    '--foreground',
    ...unlessGiven('--state-dir', '/var/lib/ftpseal'),
    ...unlessGiven('--runtime-dir', '/run/ftpseal'),
    ...passedOn,
  ]);
}

function startExplicitProxy() {
  console.log(
    'Not root: nothing is intercepted. Point your FTP program at 127.0.0.1 port 2121, user name@host.',
  );
  console.log('To secure every FTP program of this machine with no change to them: sudo npm start');
  run(process.execPath, [path.join(repository, 'dist/daemon/main.js'), 'proxy', ...passedOn]);
}

/** The checkout itself when every user may read it, else a copy; one copy per checkout, so that two don't collide. */
async function programFolder() {
  const main = path.join(repository, 'dist/daemon/main.js');
  if (
    isWorldReadable(main) &&
    isWorldReadable(path.join(repository, 'node_modules')) &&
    isWorldReadable(process.execPath)
  )
    return repository;
  const name = createHash('sha256').update(repository).digest('hex').slice(0, 12);
  const folder = `/var/cache/ftpseal/program-${name}`;
  say(`copying the program to ${folder}, because the proxy's user may not read ${repository}`);
  await stageProgram(folder, { withTests: false });
  return folder;
}

function unlessGiven(option, value) {
  const given = passedOn.some((argument) => argument === option || argument.startsWith(`${option}=`));
  return given ? [] : [option, value];
}

/** Runs the program in this terminal, hands signals on and ends as it ends. */
function run(command, args) {
  const child = spawn(command, args, { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  // A Ctrl-C reaches the child from the terminal as well; a second one is what it is for people too: hurry.
  const forward = signals.map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, handler] of forward) process.on(signal, handler);
  const watch = onOrphaned(() => child.kill('SIGTERM'));
  child.on('error', (error) => {
    console.error(`npm start: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    for (const [name, handler] of forward) process.off(name, handler);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}

/**
 * npm passes a signal to its shell only, which dies of it without telling anybody, and a killed npm leaves the shell;
 * a redirect must outlive neither.
 */
function onOrphaned(action) {
  const ancestors = ancestry();
  const watch = setInterval(() => {
    if (process.env.npm_lifecycle_event === undefined || ancestry() === ancestors) return;
    clearInterval(watch);
    action();
  }, 500);
  return watch;
}

/** The shell that npm started and, where /proc tells it, npm itself. */
function ancestry() {
  try {
    const afterName = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ').at(-1);
    return `${process.ppid} ${afterName.split(' ')[1]}`;
  } catch {
    return String(process.ppid);
  }
}
