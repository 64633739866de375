// What a desktop notification says about a question. Desktops read the body as markup.
import { assertNever } from '../../shared/assert-never.js';
import type { QuestionView } from '../../shared/ipc-messages.js';
import { escapeMarkup } from './markup.js';
import { cleanText } from './outside-text.js';
import { questionTitle } from './question-text.js';
import { serverText } from './server-text.js';

export interface NotificationText {
  /** Plain text. */
  readonly summary: string;
  /** Markup; everything from outside is escaped. */
  readonly body: string;
  /** May be an attack: shown above everything. */
  readonly urgent: boolean;
}

const maxProgram = 24;

export function notificationText(question: QuestionView): NotificationText {
  const { title, text, urgent } = plainText(question);
  return { summary: title, body: escapeMarkup(text), urgent };
}

/** The same for what knows no markup. */
export function plainText(question: QuestionView): {
  readonly title: string;
  readonly text: string;
  readonly urgent: boolean;
} {
  const sentences = [whoWaits(question), whatItIs(question), 'Nothing was sent to the server yet.'];
  return {
    title: questionTitle(question),
    text: sentences.join(' '),
    urgent: question.concern.kind === 'changed' || question.concern.kind === 'downgraded',
  };
}

/** For all questions that don't get a notification of their own. */
export function moreText(count: number): NotificationText {
  const summary = count === 1 ? 'One more server waits' : `${count} more servers wait`;
  return { summary, body: 'The list is in the manager and in the tray menu.', urgent: false };
}

function whoWaits({ program, connection, waiting, refused }: QuestionView): string {
  const who = program === undefined ? 'A program' : cleanText(program, maxProgram);
  const { address } = connection.server;
  const where = connection.name === undefined ? address : `${serverText(connection)} (${address})`;
  if (waiting === 0) {
    return refused > 0
      ? `${who} was kept from ${where}.`
      : `${who} no longer waits for ${where}; the answer counts for the next try.`;
  }
  return `${who} wants to reach ${where} and waits${waiting > 1 ? `, ${waiting} times` : ''}.`;
}

function whatItIs({ concern }: QuestionView): string {
  switch (concern.kind) {
    case 'new':
      return 'Its key was never seen here: compare it before you trust it.';
    case 'vouched':
      return 'Its key was never seen here; a certificate authority vouches for it.';
    case 'replicated':
      return 'Its key is known, but from another server.';
    case 'renewed':
      return 'Its key is another one than before; a certificate authority vouches for both.';
    case 'changed':
      return 'Its key is another one than before. This may be an attack.';
    case 'cleartext':
      return 'It offers no encryption: password and files could be read on the way.';
    case 'downgraded':
      return 'It was encrypted before and now offers no encryption. This may be an attack.';
    default:
      return assertNever(concern);
  }
}
