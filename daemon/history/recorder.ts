// Turns what the daemon's parts report into events of the history. Texts from outside become printable here.
import type { HistoryEvent } from '../../shared/ipc-messages.js';
import type { Concern, Connection, Question } from '../../shared/trust.js';
import type { SessionState } from '../pool/messages.js';
import { printable } from '../sys/redact.js';
import type { Answer, OpenQuestion, QuestionEvent } from '../trust/prompt-broker.js';
import { serverLabel } from '../trust/sentences.js';
import { ownerOf } from '../trust/connection-place.js';
import type { TrustEvent } from '../trust/trust-service.js';
import type { History } from './history.js';

/** Each method adds what is worth remembering and ignores the rest. */
export class HistoryRecorder {
  readonly #history: History;
  readonly #now: () => number;

  constructor(history: History, now: () => number = Date.now) {
    this.#history = history;
    this.#now = now;
  }

  question(event: QuestionEvent): void {
    if (event.kind === 'opened')
      this.#addQuestion('asked', event.question, askedText(event.question.concern));
  }

  trust(event: TrustEvent): void {
    if (event.kind === 'answered') {
      this.#addQuestion('answered', event.question, answerText(event.answer, event.question));
    } else this.#add('refused', event.connection, { text: event.sentence });
  }

  /** `before` is the session's last state, undefined for a new one. */
  session(state: SessionState, before: SessionState | undefined): void {
    const { connection, protection } = state;
    if (protection !== before?.protection) {
      const how = [state.protocol, state.cipher].filter((part) => part !== undefined).join(', ');
      if (protection === 'secured') this.#add('secured', connection, { text: how });
      if (protection === 'cleartext')
        this.#add('cleartext', connection, { text: 'A session went on without encryption.' });
    }
    if ((state.cut ?? 0) > (before?.cut ?? 0)) {
      this.#add('cut', connection, {
        text: 'A file transfer was cut off on the way; the program was told that it failed.',
      });
    }
  }

  #addQuestion(
    kind: HistoryEvent['kind'],
    { connection, question, program }: OpenQuestion,
    text: string,
  ): void {
    const fingerprint = fingerprintOf(question);
    this.#add(kind, connection, {
      text,
      ...(program === undefined ? {} : { program: printable(program).slice(0, 64) }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    });
  }

  #add(
    kind: HistoryEvent['kind'],
    connection: Connection,
    { text, ...more }: Pick<HistoryEvent, 'text' | 'program' | 'fingerprint'>,
  ): void {
    const server = printable(serverLabel(connection));
    this.#history.add({
      at: this.#now(),
      owner: ownerOf(connection),
      kind,
      server,
      text: shown(text),
      ...more,
    });
  }
}

/** Unlike a log line, a sentence for people is kept whole. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?').slice(0, 600);
}

function fingerprintOf(question: Question): string | undefined {
  return question.kind === 'key' ? question.identity.fingerprint : undefined;
}

function askedText({ kind }: Concern): string {
  switch (kind) {
    case 'new':
      return 'A new server: is its key trusted?';
    case 'replicated':
      return 'A key that is trusted for another server.';
    case 'vouched':
      return 'A new server, for whose key an authority vouches.';
    case 'renewed':
      return 'The key changed, and an authority vouches for the new one.';
    case 'changed':
      return 'The key of this server changed. The connection was stopped.';
    case 'cleartext':
      return 'The server offers no encryption.';
    case 'downgraded':
      return 'The server was encrypted before and is no longer. The connection was stopped.';
  }
}

function answerText(answer: Answer, { question, waiting, concern }: OpenQuestion): string {
  const what = question.kind === 'key' ? 'Trusted' : 'Allowed without encryption';
  const late = waiting === 0 ? '; nobody waited any more, it counts for the next connection' : '';
  if (answer === 'refuse') return `Refused${late}.`;
  if (answer === 'once') return `${what} for this time${late}.`;
  return `${concern.kind === 'changed' ? 'The new key took the old one’s place' : `${what} from now on`}${late}.`;
}
