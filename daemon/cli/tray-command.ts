// `ftpseal tray` and `ftpseal manager`: the person's side.
import { resolve } from 'node:path';
import type { DirOptions } from './paths.js';

/** Runs until a signal or Quit; resolves with the exit code. */
export async function trayCommand(options: DirOptions): Promise<number> {
  return run(options, 'later');
}

/** Asks the tray that runs to show the manager; without one, becomes one. Resolves with the exit code. */
export async function managerCommand(options: DirOptions): Promise<number> {
  return run(options, 'now');
}

async function run(options: DirOptions, manager: 'later' | 'now'): Promise<number> {
  const { runAgent } = await import('../../tray/agent.js');
  const runtimeDir = options.runtimeDir === undefined ? undefined : resolve(options.runtimeDir);
  return runAgent({ runtimeDir, env: process.env, command: commandLine(runtimeDir), manager });
}

/** How this same program is started as a tray. */
function commandLine(runtimeDir: string | undefined): readonly string[] {
  const script = process.argv[1] ?? 'ftpseal';
  return [
    ...[process.execPath, resolve(script), 'tray'],
    ...(runtimeDir === undefined ? [] : ['--runtime-dir', runtimeDir]),
  ];
}
