// A question on its page: shown, held while a person looks at it, and answered.
import { Fault } from '../../shared/fault.js';
import type { QuestionView } from '../../shared/ipc-messages.js';
import type { DaemonLink, MethodParams } from '../agent-state.js';
import { mayTrustAlways, questionPage } from './views/question-view.js';
import { count } from './views/words.js';
import type { DoneView, QuestionGone, QuestionPage } from './wire.js';
import type { UserId } from '../../shared/user-id.js';

export interface QuestionWorld {
  readonly link: DaemonLink;
  readonly now: () => number;
  readonly userName: (uid: UserId) => string;
}

type Answer = MethodParams<'prompts.answer'>['answer'];

export class QuestionActions {
  readonly #world: QuestionWorld;

  constructor(world: QuestionWorld) {
    this.#world = world;
  }

  page(id: string): QuestionPage | QuestionGone {
    const { link, now, userName } = this.#world;
    const found = this.#find(id);
    if (found === undefined) return gone(link);
    return questionPage(found, { now: now(), userName, mode: link.state.status?.mode });
  }

  /** Rejects with a Fault; the question stays open then. */
  async answer(id: string, answer: Answer): Promise<DoneView> {
    const { link, now } = this.#world;
    const question = this.#find(id);
    if (question === undefined) throw new Fault('usage', gone(link).text);
    if (answer === 'always' && !mayTrustAlways(question, now())) {
      throw new Fault(
        'usage',
        'This certificate has flaws, so its key can’t be trusted for good. Nothing was trusted.',
      );
    }
    const { waiting } = await link.request('prompts.answer', { id, answer });
    return { kind: 'done', text: answeredText(question, answer, waiting) };
  }

  async hold(id: string): Promise<DoneView> {
    const { deadline } = await this.#world.link.request('prompts.hold', { id });
    return { kind: 'done', text: '', deadline };
  }

  #find(id: string): QuestionView | undefined {
    return this.#world.link.state.questions.find((question) => question.id === id);
  }
}

function gone(link: DaemonLink): QuestionGone {
  const { daemon } = link.state;
  if (daemon.kind === 'unreachable') {
    return {
      kind: 'gone',
      title: 'The daemon does not answer',
      text: `${daemon.sentence} Nothing was sent to the server.`,
    };
  }
  return {
    kind: 'gone',
    title: 'This question is closed',
    text: 'It was answered elsewhere, or the daemon started again since. If a program still needs an answer, you will be asked again.',
  };
}

function answeredText({ question }: QuestionView, answer: Answer, waiting: number): string {
  if (answer === 'refuse') {
    return waiting > 0
      ? 'Refused. Nothing was sent to the server.'
      : 'Refused. You are not asked again for ten minutes.';
  }
  const what = question.kind === 'key' ? 'Trusted' : 'Allowed';
  const how = answer === 'once' ? `${what} for this time.` : `${what} from now on.`;
  if (waiting > 0) return `${how} ${count(waiting, 'connection')} ${waiting === 1 ? 'goes' : 'go'} on.`;
  return `${how} No program waits any more: the answer counts for the next connection. Start the transfer again.`;
}
