// `ftpseal tray` and `ftpseal manager`: the person's side.
import { resolve } from 'node:path';
import { EXIT } from '../../shared/fault.js';
import { print } from './output.js';
import type { DirOptions } from './paths.js';

export interface TrayOptions extends DirOptions {
  readonly quit?: boolean;
}

/** Runs until a signal or Quit, or asks the one that runs to end; resolves with the exit code. */
export async function trayCommand(options: TrayOptions): Promise<number> {
  if (options.quit === true) {
    const { quitAgent } = await import('../../tray/agent.js');
    print((await quitAgent()) ? 'Your tray icon goes.' : 'No tray icon of yours was there.');
    return EXIT.done;
  }
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
