// The proxy as the supervisor's child. Its arguments are the supervisor's and no person's: what helps people with theirs is not
// loaded here, because the machine's start waits for this process.
import { parseArgs } from 'node:util';
import { Fault } from '../../shared/fault.js';
import { outlastSurroundings } from '../sys/long-lived.js';
import type { LogLevel } from '../sys/log.js';

/** The command's name; no help speaks of it. */
export const PROXY_PROCESS = 'proxy-process';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

const known = {
  'state-dir': { type: 'string' },
  'runtime-dir': { type: 'string' },
  'log-level': { type: 'string' },
  config: { type: 'string' },
  foreground: { type: 'boolean' },
} as const;

/** Runs until its supervisor ends it; resolves with the exit code. `argv` follows the command's name. */
export async function proxyProcess(argv: readonly string[]): Promise<number> {
  outlastSurroundings();
  const values = parsed(argv);
  const { 'state-dir': stateDir, 'runtime-dir': runtimeDir, foreground = false } = values;
  const logLevel = levels.find((level) => level === values['log-level']);
  if (stateDir === undefined || runtimeDir === undefined || logLevel === undefined) throw notByHand();
  const { runProxyProcess } = await import('../proxy.js');
  return runProxyProcess({
    configPath: values.config,
    stateDir,
    runtimeDir,
    foreground,
    logLevel,
    onReady: () => {
      if (foreground) void askHere(runtimeDir);
    },
  });
}

async function askHere(runtimeDir: string): Promise<void> {
  const { askOnOwnTerminal } = await import('./own-terminal.js');
  askOnOwnTerminal(runtimeDir);
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: known }).values;
  } catch {
    throw notByHand();
  }
}

function notByHand(): Fault {
  return new Fault('usage', `${PROXY_PROCESS} is started by \`ftpseal daemon\` and by nothing else.`);
}
