// How things stand: the icon's state and the words for it. One place, so that colour and words can't disagree.
import type { AgentState } from '../agent-state.js';
import { cleanText } from './outside-text.js';
import type { IconState } from './tray-view.js';

export interface Standing {
  readonly icon: IconState;
  /** One line, at most 60 characters. */
  readonly line: string;
  /** Further sentences: what it means, what to do. */
  readonly details: readonly string[];
}

const maxSentence = 300;

/** Trouble that leaves FTP unprotected comes first, then what waits for the person, then the rest. `now` in Unix milliseconds. */
export function standingOf(state: AgentState, now: number): Standing {
  return unprotected(state) ?? asked(state) ?? keychainTrouble(state) ?? inClear(state, now) ?? calm(state);
}

function unprotected({ daemon, status }: AgentState): Standing | undefined {
  if (daemon.kind === 'unreachable') {
    return trouble('ftpseal does not run: FTP is not encrypted', daemon.sentence);
  }
  if (status?.redirect.kind !== 'failed') return undefined;
  return trouble('The redirect failed: FTP may not be encrypted', status.redirect.sentence);
}

function trouble(line: string, sentence: string): Standing {
  return { icon: { kind: 'trouble' }, line, details: [cleanText(sentence, maxSentence)] };
}

function asked(state: AgentState): Standing | undefined {
  const count = state.questions.length;
  if (count === 0) return undefined;
  return {
    icon: { kind: 'question', count },
    line: count === 1 ? 'A server waits for your answer' : `${count} servers wait for your answer`,
    details: ['Nothing is sent to a server before you have answered.', ...decided(state)],
  };
}

function keychainTrouble({ vault }: AgentState): Standing | undefined {
  if (vault.kind === 'off' || vault.kind === 'ready') return undefined;
  const lines = {
    locked: 'Your keychain is locked',
    absent: 'No keychain is there to keep keys',
    slow: 'Your keychain does not answer',
  } as const;
  return trouble(lines[vault.kind], vault.sentence);
}

function inClear(state: AgentState, now: number): Standing | undefined {
  const pausedUntil = state.status?.pausedUntil;
  const paused = pausedUntil !== undefined && pausedUntil > now;
  if (!paused && !state.sessions.some(isInClear)) return undefined;
  const icon = { kind: 'cleartext' } as const;
  if (!paused) {
    const details = ['Password and files of these sessions can be read on the way.'];
    return { icon, line: sessionsLine(state), details };
  }
  const minutes = Math.max(1, Math.ceil((pausedUntil - now) / 60_000));
  return {
    icon,
    line: `Paused for ${minutes} more min: not encrypted`,
    details: [sessionsLine(state), 'New FTP connections of yours pass as they are. Resume ends it.'],
  };
}

function calm(state: AgentState): Standing {
  const { redirect } = state.status ?? {};
  const securing = state.sessions.some(({ state: { protection } }) => protection === 'secured');
  const details = redirect?.kind === 'starting' ? ['The redirect is being set up.'] : [];
  return { icon: { kind: securing ? 'securing' : 'idle' }, line: sessionsLine(state), details };
}

function isInClear({ state }: AgentState['sessions'][number]): boolean {
  return (
    state.protection === 'cleartext' || (state.protection === 'tunnelled' && state.warning !== undefined)
  );
}

/** The line of sessions, where it says more than that somebody waits. */
function decided(state: AgentState): readonly string[] {
  return state.sessions.some(({ state: { protection } }) => protection !== 'none')
    ? [sessionsLine(state)]
    : [];
}

/** `2 sessions secured, 1 not encrypted`. */
function sessionsLine({ sessions }: AgentState): string {
  const secured = sessions.filter(({ state }) => state.protection === 'secured').length;
  const clear = sessions.filter(isInClear).length;
  const other = sessions.length - secured - clear;
  if (sessions.length === 0) return 'No FTP session now';
  const noun = (count: number): string => (count === 1 ? 'session' : 'sessions');
  if (secured === 0 && clear === 0) return `${other} ${noun(other)} being set up`;
  const parts = [
    ...(secured > 0 ? [`${secured} ${noun(secured)} secured`] : []),
    ...(clear > 0 ? [`${clear} ${secured > 0 ? '' : `${noun(clear)} `}not encrypted`] : []),
  ];
  return parts.join(', ');
}
