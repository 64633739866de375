// Asks open questions on the terminal, one after the other. Only a word that says so trusts: Enter alone does not.
import { createInterface, type Interface } from 'node:readline/promises';
import { Fault } from '../../shared/fault.js';
import { parseFingerprint } from '../../shared/fingerprint.js';
import type { PromptEvent, QuestionView } from '../../shared/ipc-messages.js';
import { needsTypedName } from '../../shared/trust.js';
import { DaemonClient } from '../ipc/client.js';
import { visible } from '../sys/visible.js';
import { formatQuestion } from './question-text.js';
import { userName } from './user-names.js';
import { steadyNow } from '../sys/steady-clock.js';

export interface PrompterStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

export type TypedAnswer =
  'always' | 'once' | 'refuse' | { readonly pasted: string } | { readonly confirmed: string };

/** What a person typed, as an answer; undefined for everything that is none, an empty line above all. */
export function parseTyped(text: string): TypedAnswer | undefined {
  const word = text.trim().toLowerCase();
  if (word === 'a' || word === 'always' || word === 'trust') return 'always';
  if (word === 't' || word === 'this time' || word === 'once') return 'once';
  if (word === 'r' || word === 'refuse') return 'refuse';
  return parseFingerprint(text) === undefined ? undefined : { pasted: text.trim() };
}

/**
 * The same as the answer to one question: where yes needs the server's name, every other text is taken for it, and
 * the daemon compares.
 */
export function parseAnswer(text: string, { concern }: QuestionView): TypedAnswer | undefined {
  const typed = parseTyped(text);
  if (!needsTypedName(concern)) return typed;
  if (typed === 'refuse' || typeof typed === 'object') return typed;
  return text.trim() === '' ? undefined : { confirmed: text.trim() };
}

/** Runs until the daemon goes away or the input ends. Rejects with a Fault if no daemon answers. */
export async function promptOnTerminal(runtimeDir: string, streams: PrompterStreams): Promise<void> {
  const client = await DaemonClient.connect(runtimeDir);
  // Not a terminal for readline: in raw mode Ctrl-C would be a character and stop nothing.
  const reader = createInterface({ input: streams.input, terminal: false });
  const inputEnded = new Promise<void>((resolve) => reader.once('close', resolve));
  const prompter = new Prompter(client, reader, streams.output);
  client.on('prompts.event', (event) => {
    prompter.take(event);
  });
  await client.request('prompts.watch', {});
  await Promise.race([client.closed, inputEnded]);
  reader.close();
  client.close();
}

/** Time to notice that another question stands there now. */
const deafMs = 900;

class Prompter {
  readonly #client: DaemonClient;
  readonly #output: NodeJS.WritableStream;
  readonly #open = new Map<string, QuestionView>();
  /** The question on the screen. */
  #current: string | undefined;
  /** Until then a typed line may have been meant for a question that vanished. */
  #deafUntil = 0;
  #answering: string | undefined;

  constructor(client: DaemonClient, reader: Interface, output: NodeJS.WritableStream) {
    this.#client = client;
    this.#output = output;
    reader.on('line', (line) => void this.#typed(line));
  }

  take(event: PromptEvent): void {
    if (event.kind === 'all') for (const question of event.questions) this.#open.set(question.id, question);
    else if (event.kind === 'closed') this.#closed(event.id);
    else this.#open.set(event.question.id, event.question);
    this.#showNext();
  }

  #closed(id: string): void {
    this.#open.delete(id);
    if (this.#current !== id) return;
    this.#current = undefined;
    if (this.#answering === id) return;
    this.#say('This question was answered elsewhere.');
    this.#deafUntil = steadyNow() + deafMs;
  }

  #showNext(): void {
    if (this.#current !== undefined) return;
    const [next] = this.#open.values();
    if (next === undefined) return;
    this.#current = next.id;
    this.#say(`\n${formatQuestion(next, userName)}\n${choices(next)}`);
  }

  async #typed(line: string): Promise<void> {
    const question = this.#current === undefined ? undefined : this.#open.get(this.#current);
    if (question === undefined) return;
    const answer = steadyNow() < this.#deafUntil ? undefined : parseAnswer(line, question);
    if (answer === undefined) {
      this.#say(choices(question));
      return;
    }
    this.#answering = question.id;
    try {
      const { waiting } = await this.#client.request('prompts.answer', { id: question.id, answer });
      this.#say(waiting > 0 ? 'Answered.' : 'Answered; it counts for the next try.');
    } catch (error) {
      this.#say(Fault.from(error).userMessage);
      if (this.#open.has(question.id)) this.#say(choices(question));
    }
  }

  #say(text: string): void {
    this.#output.write(`${visible(text)}\n`);
  }
}

function choices({ question, concern }: QuestionView): string {
  if (needsTypedName(concern)) {
    const pasted = question.kind === 'key' ? ', or paste the fingerprint that the owner gave you' : '';
    return `This may be an attack. [r]efuse. If the server’s owner confirmed it: type the server’s name or address${pasted}:`;
  }
  return question.kind === 'key'
    ? 'Trust this key? [a]lways, [t]his time, [r]efuse, or paste the fingerprint that the owner gave you:'
    : 'Go on without encryption? [a]lways, [t]his time, [r]efuse:';
}
