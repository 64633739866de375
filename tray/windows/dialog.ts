// The last resort where no browser is there: a question as a dialog of zenity. Cancel is the default, so Enter decides nothing;
// what needs the whole page (trust for good, a changed key, a server that stopped encrypting) can't be answered with yes here.
import { spawn } from 'node:child_process';
import { Fault } from '../../shared/fault.js';
import { groupFingerprint, parseFingerprint } from '../../shared/fingerprint.js';
import type { QuestionView } from '../../shared/ipc-messages.js';
import { needsTypedName } from '../../shared/trust.js';
import { cleanText } from '../model/outside-text.js';
import { questionTitle } from '../model/question-text.js';
import { findProgram, hasScreen } from './browsers.js';

const onceLabel = 'Trust this time';
const timeoutS = 300;

export type DialogAnswer = 'once' | 'refuse' | undefined;

/** The person's answer; undefined for "later". Rejects with a Fault of code `missing-tool` where no dialog can be shown. */
export async function askInDialog(question: QuestionView, env: NodeJS.ProcessEnv): Promise<DialogAnswer> {
  const program = findProgram('zenity', env);
  if (program === undefined || !hasScreen(env)) {
    throw new Fault(
      'missing-tool',
      `No browser and no dialog can be opened here. Answer with: ftpseal prompts --answer ${question.id}`,
    );
  }
  const { code, output } = await runDialog(program, dialogArguments(question), env);
  if (code === 0) return 'refuse';
  return output.trim() === onceLabel ? 'once' : undefined;
}

/** The whole fingerprint is in the text, so that trust for one session may be offered. */
export function dialogArguments(question: QuestionView): readonly string[] {
  const lines = [
    questionTitle(question),
    '',
    cleanText(question.why, 300),
    ...(question.question.kind === 'key' ? [`Key: ${grouped(question.question.identity.fingerprint)}`] : []),
    '',
    needsTypedName(question.concern)
      ? `It can be allowed only with: ftpseal prompts --answer ${question.id}`
      : 'Trust it only if its owner gave you the same fingerprint.',
  ];
  return [
    '--question',
    '--no-markup',
    '--title=ftpseal',
    `--text=${lines.join('\n')}`,
    '--ok-label=Refuse',
    '--cancel-label=Decide later',
    '--default-cancel',
    ...(needsTypedName(question.concern) ? [] : ['--extra-button', onceLabel]),
    `--timeout=${timeoutS}`,
  ];
}

function grouped(fingerprint: string): string {
  const parsed = parseFingerprint(fingerprint);
  return parsed === undefined ? cleanText(fingerprint, 64) : groupFingerprint(parsed);
}

function runDialog(
  program: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { cwd: '/', env, stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text.slice(0, 256)));
    child.once('error', (error) => {
      reject(Fault.from(error, 'missing-tool'));
    });
    child.once('close', (code) => {
      resolve({ code, output });
    });
  });
}
