// Questions on the terminal that a foreground daemon or proxy was started on.
import { Fault } from '../../shared/fault.js';
import { promptOnTerminal } from './terminal-prompter.js';

/** Does nothing where standard input is no terminal: then `ftpseal prompts` is the way to answer. */
export function askOnOwnTerminal(runtimeDir: string): void {
  if (!process.stdin.isTTY) return;
  promptOnTerminal(runtimeDir, { input: process.stdin, output: process.stderr }).catch((error: unknown) => {
    process.stderr.write(`ftpseal: questions can't be asked here: ${Fault.from(error).userMessage}\n`);
  });
}
