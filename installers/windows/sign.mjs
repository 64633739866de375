// Signing is the publisher's: a command of theirs is given each file, and changes it in place.
import { spawnSync } from 'node:child_process';

/** What `FTPSEAL_SIGN` says: a program and its fixed arguments, for sh. Undefined: nothing is signed. */
export function signCommand() {
  const command = process.env.FTPSEAL_SIGN;
  return command === undefined || command.trim() === '' ? undefined : command;
}

/** Has the command sign `file`, if there is one. Throws if it fails. */
export function sign(file) {
  const command = signCommand();
  if (command === undefined) return;
  const result = spawnSync('sh', ['-c', `${command} "$1"`, 'sh', file], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (result.status !== 0) throw new Error(`FTPSEAL_SIGN failed for ${file} (exit code ${result.status})`);
}
