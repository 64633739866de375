// Node ends a program with 13, and without a word, when an `await` at its top can't be settled any more. Nothing of ours may
// end so: whoever waits for it would see it stop in the middle of its work and take that for its end.
import type { ChildProcess } from 'node:child_process';

const UNSETTLED = 13;

/** Fails the test when this program of Node's ends so. For other programs 13 means other things. */
export function failWhenUnsettled(child: ChildProcess, argv: readonly string[]): void {
  if (!argv.includes(process.execPath)) return;
  const name = argv.slice(argv.indexOf(process.execPath) + 1).join(' ');
  child.once('exit', (code) => {
    if (code === UNSETTLED) throw new Error(`ended with 13, an await that nothing can settle: node ${name}`);
  });
}
