// The page "Now": what is going on, as one value made of the agent's state.
import type { QuestionView, SessionView } from '../../../shared/ipc-messages.js';
import type { AgentState } from '../../agent-state.js';
import { displayText } from '../display-text.js';
import type { LiveView, QuestionRow, RateSample, SessionRow, Tone } from '../wire.js';
import { addressText, bannersOf, count, serverTitle } from './words.js';
import type { UserId } from '../../../shared/user-id.js';

/** More rows than that nobody reads, and every page gets them each second. */
const maxRows = 200;
const maxQuestions = 64;

export function liveView(
  state: AgentState,
  surroundings: {
    readonly rates: readonly RateSample[];
    readonly now: number;
    readonly userName: (uid: UserId) => string;
  },
): LiveView {
  const newestFirst = [...state.sessions].sort((a, b) => b.state.startedAt - a.state.startedAt);
  return {
    kind: 'live',
    connected: state.daemon.kind === 'connected',
    version: displayText(state.status?.version ?? '', 20),
    banners: bannersOf(state),
    headline: headlineOf(state),
    sessions: newestFirst.slice(0, maxRows).map((session) => sessionRow(session, surroundings.userName)),
    hidden: Math.max(0, newestFirst.length - maxRows),
    questions: worstFirst(state.questions.map(questionRow)).slice(0, maxQuestions),
    rates: surroundings.rates,
    now: surroundings.now,
  };
}

const order: readonly Tone[] = ['bad', 'warn', 'calm', 'good'];

function worstFirst(rows: readonly QuestionRow[]): readonly QuestionRow[] {
  return [...rows].sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone) || b.waiting - a.waiting);
}

function headlineOf({ daemon, status, sessions, questions }: AgentState): LiveView['headline'] {
  if (daemon.kind === 'unreachable') {
    return { tone: 'bad', title: 'Nothing is protected now', text: 'ftpseal’s daemon does not answer.' };
  }
  if (status?.pausedUntil !== undefined) {
    return { tone: 'warn', title: 'Paused', text: 'Your new FTP connections are not encrypted by ftpseal.' };
  }
  const clear = sessions.filter(({ state }) => state.protection === 'cleartext').length;
  const secured = sessions.filter(({ state }) => state.protection === 'secured').length;
  if (clear > 0) {
    const text = `${count(secured, 'other session')} ${secured === 1 ? 'is' : 'are'} encrypted.`;
    return {
      tone: 'warn',
      title: `${count(clear, 'session')} not encrypted`,
      text: secured > 0 ? text : cleartextText,
    };
  }
  if (questions.length > 0) {
    return {
      tone: 'warn',
      title: 'You are asked',
      text: 'A program waits until you have looked at a server’s key.',
    };
  }
  if (secured > 0) {
    return {
      tone: 'good',
      title: `${count(secured, 'session')} encrypted`,
      text: 'Passwords and files travel protected.',
    };
  }
  return {
    tone: 'calm',
    title: 'Ready',
    text: 'No program is using FTP right now. When one does, it is encrypted.',
  };
}

const cleartextText = 'Passwords and files can be read on the way.';

function sessionRow({ state, program }: SessionView, userName: (uid: UserId) => string): SessionRow {
  const { connection } = state;
  return {
    id: state.id,
    program:
      connection.forwarded === true
        ? `Device ${connection.client.address}`
        : displayText(program ?? 'Unknown program', 40),
    user: connection.uid === undefined ? '' : displayText(userName(connection.uid), 40),
    server: serverTitle(connection),
    address: connection.name === undefined ? '' : addressText(connection.server),
    lock: lockOf(state.protection),
    protection: protectionText(state.protection),
    mechanism: mechanismText(state),
    data: dataText(state),
    up: state.bytesUp,
    down: state.bytesDown,
    transfers: state.transfers,
    startedAt: state.startedAt,
    // What it is called stands beside it already.
    warning: displayText((state.warning ?? '').replace(/^not encrypted: /, ''), 300),
  };
}

function mechanismText({ mechanism, protocol }: SessionView['state']): string {
  const version = protocol?.replace(/^TLSv/, 'TLS ');
  const isWhole = mechanism === 'TLS' || version?.startsWith(`${mechanism ?? ''} `) === true;
  const parts = isWhole && version !== undefined ? [version] : [mechanism, version];
  return displayText(parts.filter((part) => part !== undefined).join(', '), 64);
}

type Protection = SessionView['state']['protection'];

function lockOf(protection: Protection): SessionRow['lock'] {
  if (protection === 'secured') return 'locked';
  if (protection === 'cleartext') return 'open';
  return protection === 'none' ? 'pending' : 'passed';
}

function protectionText(protection: Protection): string {
  switch (protection) {
    case 'secured':
      return 'Encrypted';
    case 'cleartext':
      return 'Not encrypted';
    case 'tunnelled':
      return 'Passed on unchanged';
    case 'relayed':
      return 'The program encrypts itself';
    case 'none':
      return 'Being set up';
  }
}

/** Empty where there is nothing to say: no transfer yet, or the session as a whole says it. */
function dataText({ data, protection }: SessionView['state']): string {
  if (protection !== 'secured') return '';
  switch (data) {
    case 'private':
      return 'files encrypted';
    case 'clear':
      return 'files not encrypted';
    case 'refused':
      return 'no encrypted files at this server';
    case 'unknown':
      return '';
  }
}

export function questionRow({ id, concern, connection, waiting, openedAt }: QuestionView): QuestionRow {
  return { id, ...lookOf(concern.kind), server: serverTitle(connection), waiting, openedAt };
}

function lookOf(kind: QuestionView['concern']['kind']): { readonly tone: Tone; readonly title: string } {
  switch (kind) {
    case 'new':
    case 'vouched':
    case 'replicated':
      return { tone: 'calm', title: 'New server' };
    case 'renewed':
      return { tone: 'calm', title: 'Renewed key' };
    case 'changed':
      return { tone: 'bad', title: 'Changed key' };
    case 'cleartext':
      return { tone: 'warn', title: 'Not encrypted' };
    case 'downgraded':
      return { tone: 'bad', title: 'No longer encrypted' };
  }
}
