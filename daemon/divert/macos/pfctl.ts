// Runs pfctl(8), and says in sentences what it refuses. Unrun on a Mac (docs/macos.md).
import { execFile } from 'node:child_process';
import { Fault } from '../../../shared/fault.js';
import { SYSTEM_PATH } from '../../sys/system-path.js';

/** pfctl with these arguments and this text on its standard input; resolves with all that it printed. */
export type Pfctl = (argv: readonly string[], input?: string) => Promise<string>;

/** Rejects with a Fault of code `redirect`, `missing-tool` or `not-permitted`. */
export function pfctlProgram(program = '/sbin/pfctl'): Pfctl {
  const environment = { PATH: SYSTEM_PATH, LC_ALL: 'C' };
  return (argv, input = '') =>
    new Promise((resolve, reject) => {
      const child = execFile(program, argv, { env: environment, cwd: '/' }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout + stderr);
        else reject(pfctlFault(error, stderr));
      });
      // pfctl may end before it has read everything; why it did is in its status, not in EPIPE.
      child.stdin?.on('error', () => undefined).end(input);
    });
}

/** What pfctl's end means for people; `text` is what it printed on its standard error. */
export function pfctlFault(error: Error, text: string): Fault {
  if ('code' in error && error.code === 'ENOENT') {
    return new Fault('missing-tool', 'This system has no pfctl, so connections can’t be redirected.', error);
  }
  if (/Permission denied|Operation not permitted/.test(text)) {
    const sentence = 'Changing the pf rules of this Mac is not permitted: run ftpseal as root.';
    return new Fault('not-permitted', sentence, error);
  }
  // It says this of every macOS, whatever else is wrong.
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.includes('ALTQ'));
  return new Fault('redirect', `pf refused the redirect rules: ${lines[0] ?? error.message}`, error);
}
