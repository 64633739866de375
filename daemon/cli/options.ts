// Options that many commands share.
import type { Command } from 'commander';
import type { JsonOption } from './output.js';
import type { DirOptions } from './paths.js';

export type Shared = DirOptions & JsonOption;

export function withRuntimeDir(command: Command): Command {
  return command.option('--runtime-dir <dir>', 'where the daemon’s socket is');
}

export function withJson(command: Command): Command {
  return command.option('--json', 'machine-readable output');
}

export function examples(...lines: readonly string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}
