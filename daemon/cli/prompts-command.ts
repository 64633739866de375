// `ftpseal prompts`: the open questions, and their answers.
import { Fault } from '../../shared/fault.js';
import { print, printJson, show, type JsonOption } from './output.js';
import { connectDaemon, type DirOptions } from './paths.js';
import { formatQuestion } from './question-text.js';
import { parseAnswer, parseTyped } from './terminal-prompter.js';
import { userName } from './user-names.js';

export interface PromptsOptions extends DirOptions, JsonOption {
  readonly answer?: string;
  readonly watch?: boolean;
}

export async function promptsCommand(typed: string | undefined, options: PromptsOptions): Promise<void> {
  const client = await connectDaemon(options);
  try {
    if (options.answer !== undefined) {
      const { questions } = await client.request('prompts.list', {});
      const question = questions.find(({ id }) => id === options.answer);
      const answer = question === undefined ? parseTyped(typed ?? '') : parseAnswer(typed ?? '', question);
      if (answer === undefined) {
        throw new Fault(
          'usage',
          'An answer is one of: trust, once, refuse, or the fingerprint that the owner gave you.',
        );
      }
      const result = await client.request('prompts.answer', { id: options.answer, answer });
      const none = 'Answered. Nobody waits any more; the answer counts for the next try.';
      show(result, options, () =>
        result.waiting === 0 ? none : `Answered; ${result.waiting} session(s) go on.`,
      );
    } else if (options.watch === true) {
      client.on('prompts.event', (event) => {
        if (options.json === true) printJson(event);
        else if (event.kind === 'all')
          event.questions.forEach((question) => {
            print(`${formatQuestion(question, userName)}\n`);
          });
        else if (event.kind === 'opened') print(`${formatQuestion(event.question, userName)}\n`);
        else if (event.kind === 'closed') print(`Question ${event.id} is closed.\n`);
      });
      await client.request('prompts.watch', {});
      await client.closed;
    } else {
      const { questions } = await client.request('prompts.list', {});
      const hint = 'Answer with: ftpseal prompts --answer QUESTION trust|once|refuse|<fingerprint>';
      show({ questions }, options, () =>
        questions.length === 0
          ? 'No open questions.'
          : [...questions.map((question) => formatQuestion(question, userName)), hint].join('\n\n'),
      );
    }
  } finally {
    client.close();
  }
}
