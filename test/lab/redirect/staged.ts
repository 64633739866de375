// The programs of this folder where every user can run them: a checkout may lie where nobody but its owner may enter.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { repository } from '../harness/server.js';

let program: string | undefined;

/** The path of a compiled program of this folder in a copy for all users, made once a test process and removed with it. */
export function stagedProgram(name: string): string {
  program ??= stageAll();
  return path.join(program, 'dist/test/lab/redirect', name);
}

function stageAll(): string {
  const folder = mkdtempSync(`/var/tmp/ftpseal-lab-${process.pid}-`);
  chmodSync(folder, 0o755);
  process.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const copy = path.join(folder, 'program');
  const script = path.join(repository, 'installers/dev/stage.mjs');
  execFileSync(process.execPath, [script, copy, '--with-tests'], { stdio: 'ignore' });
  return copy;
}
