// A question in one line, for the menu and for a notification's title.
import { assertNever } from '../../shared/assert-never.js';
import type { QuestionView } from '../../shared/ipc-messages.js';
import { cleanText } from './outside-text.js';
import { serverText } from './server-text.js';

const maxProgram = 24;

/** What is asked, with the server: `New server files.example.com`. */
export function questionTitle({ concern, connection }: QuestionView): string {
  const server = serverText(connection);
  switch (concern.kind) {
    case 'new':
    case 'vouched':
      return `New server ${server}`;
    case 'replicated':
      return `Known key on another server: ${server}`;
    case 'renewed':
      return `Renewed key of ${server}`;
    case 'changed':
      return `Changed key! ${server}`;
    case 'cleartext':
      return `No encryption: ${server}`;
    case 'downgraded':
      return `No longer encrypted! ${server}`;
    default:
      return assertNever(concern);
  }
}

/** Who asks and who waits: `curl, 3 sessions wait`; empty where nothing is known. */
export function questionFrom({ program, waiting, refused }: QuestionView): string {
  const parts = [
    ...(program === undefined ? [] : [cleanText(program, maxProgram)]),
    ...(waiting > 1 ? [`${waiting} sessions wait`] : []),
    ...(waiting === 0 && refused > 0 ? ['was refused'] : []),
  ];
  return parts.join(', ');
}

/** The whole line of the menu. */
export function questionLine(question: QuestionView): string {
  const from = questionFrom(question);
  return `${questionTitle(question)}${from === '' ? '' : ` (${from})`}…`;
}
