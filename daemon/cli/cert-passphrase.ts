// Where the passphrase of an encrypted key comes from: a file, or a person at the terminal, who types it unseen. Never an
// argument, which every user of the machine could read.
import { open } from 'node:fs/promises';
import type { ReadStream } from 'node:tty';
import { Fault } from '../../shared/fault.js';
import type { AskPassphrase } from '../cert/material.js';

const LENGTH_MAX = 4096;
/** As many tries as a login gives. */
const TRIES = 3;

/** The source for one run. A file's passphrase is tried once; a person may try three times a file. */
export function passphraseSource(file: string | undefined): AskPassphrase {
  if (file !== undefined) {
    return async (_name, isRetry) => (isRetry ? undefined : readPassphraseFile(file));
  }
  let tries = 0;
  return async (name, isRetry) => {
    tries = isRetry ? tries + 1 : 1;
    if (tries > TRIES) return undefined;
    if (!process.stdin.isTTY) {
      throw new Fault(
        'usage',
        `${name} is protected with a passphrase, and there is no terminal to ask on; give --passphrase-file.`,
      );
    }
    return typeUnseen(process.stdin, `${isRetry ? 'Wrong. ' : ''}Passphrase for ${name}: `);
  };
}

/** The first line of the file, without its line end. */
async function readPassphraseFile(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LENGTH_MAX), 0, LENGTH_MAX, null);
      return buffer.toString('utf8', 0, bytesRead).split(/\r?\n/, 1)[0] ?? '';
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Fault('usage', `The passphrase file ${path} can't be read.`, error);
  }
}

/** Asks on stderr, so that the answer of the command itself can go into a pipe. Ctrl-C and Ctrl-D give up. */
function typeUnseen(terminal: ReadStream, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (): void => {
      terminal.off('data', onData);
      terminal.setRawMode(false);
      terminal.pause();
      process.stderr.write('\n');
    };
    const onData = (chunk: string): void => {
      for (const character of chunk) {
        const step = afterCharacter(typed, character);
        if (step.kind === 'typing') {
          typed = step.text;
          continue;
        }
        finish();
        if (step.kind === 'done') resolve(typed);
        else reject(new Fault('usage', 'No passphrase was given; nothing was done.'));
        return;
      }
    };
    // Before the question: who types at once is not to be seen either.
    terminal.setRawMode(true);
    process.stderr.write(question);
    terminal.setEncoding('utf8').on('data', onData);
    terminal.resume();
  });
}

type Step =
  | { readonly kind: 'typing'; readonly text: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'given-up' };

function afterCharacter(text: string, character: string): Step {
  if (character === '\r' || character === '\n') return { kind: 'done' };
  if (character === '\u0003' || character === '\u0004') return { kind: 'given-up' };
  if (character === '\u007f' || character === '\b')
    return { kind: 'typing', text: Array.from(text).slice(0, -1).join('') };
  return { kind: 'typing', text: text.length < LENGTH_MAX ? text + character : text };
}
