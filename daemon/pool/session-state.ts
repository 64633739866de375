// How a session stands, as the main thread is told it: what the core shows of itself, in the words of messages.ts. Pure.
import type { SessionView } from '../ftp/session.js';
import type { Connection } from '../../shared/trust.js';
import type { SessionState, WorkerAnswer } from './messages.js';

/** What the main thread knew of a connection's server. */
export type Begun = Omit<Extract<WorkerAnswer, { readonly kind: 'begun' }>, 'kind' | 'refused'>;

/** Of a session that the person wanted left alone. */
const pausedWarning = 'not encrypted by ftpseal: it was paused when this session began';

/** The state of a session that has done nothing yet. The worker and the main thread make the same one of the same answer. */
export function firstState(
  { id, connection, startedAt }: Pick<SessionState, 'id' | 'connection' | 'startedAt'>,
  begun: Begun,
): SessionState {
  return {
    id,
    connection: named(connection, begun),
    startedAt,
    phase: 'connecting',
    protection: 'none',
    data: 'unknown',
    bytesUp: 0,
    bytesDown: 0,
    transfers: 0,
    ...(begun.paused ? { warning: pausedWarning } : {}),
  };
}

function named(connection: Connection, { name, nameFrom, alsoNamed }: Begun): Connection {
  return {
    ...connection,
    ...(name === undefined ? {} : { name }),
    ...(nameFrom === undefined ? {} : { nameFrom }),
    ...(alsoNamed === undefined ? {} : { alsoNamed }),
  };
}

/** The state with what the core shows now. */
export function stateWith(state: SessionState, view: SessionView): SessionState {
  const { identity } = view;
  return {
    ...state,
    phase: view.phase,
    protection: protectionOf(view.phase),
    data: view.data === 'asked' ? 'unknown' : view.data,
    transfers: view.transfers,
    ...(view.cut === 0 ? {} : { cut: view.cut }),
    ...(identity === undefined
      ? {}
      : { mechanism: identity.mechanism, protocol: identity.protocol, cipher: identity.cipher }),
    ...(view.warning === undefined ? {} : { warning: view.warning }),
  };
}

/**
 * What a change is worth. `count`: a number has grown. `step`: the session has come further, which concerns who watches it. `turn`: what
 * the log, the history or a warning is about.
 */
export type Change = 'none' | 'count' | 'step' | 'turn';

/** Called for every event of a session, so it makes nothing. */
export function changeBetween(before: SessionView, after: SessionView): Change {
  const isTurn =
    before.cut !== after.cut ||
    before.warning !== after.warning ||
    protectionOf(before.phase) !== protectionOf(after.phase);
  if (isTurn) return 'turn';
  if (before.phase !== after.phase || before.data !== after.data || before.identity !== after.identity)
    return 'step';
  return before.transfers === after.transfers ? 'none' : 'count';
}

function protectionOf(phase: SessionView['phase']): SessionState['protection'] {
  switch (phase) {
    case 'secured':
      return 'secured';
    case 'cleartext':
      return 'cleartext';
    case 'tunnel':
      return 'tunnelled';
    case 'passthrough':
      return 'relayed';
    default:
      return 'none';
  }
}
