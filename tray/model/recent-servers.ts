// The servers that the menu lists: those of running sessions and of the last ones that ended.
import type { SessionView } from '../../shared/ipc-messages.js';
import { serverText } from './server-text.js';

export interface RecentServer {
  /** Name or address as people know it; printable. */
  readonly label: string;
  readonly encrypted: boolean;
  /** Unix milliseconds; the newest session counts. */
  readonly startedAt: number;
}

const kept = 3;

/** The last three servers, newest first, after these sessions were seen. The same array where nothing changed. */
export function updateRecent(
  recent: readonly RecentServer[],
  sessions: readonly SessionView[],
): readonly RecentServer[] {
  const seen = sessions.flatMap(({ state }): readonly RecentServer[] => {
    if (state.protection === 'none') return [];
    const encrypted = state.protection === 'secured' || isOwnTunnel(state);
    return [{ label: serverText(state.connection), encrypted, startedAt: state.startedAt }];
  });
  const newest = new Map<string, RecentServer>();
  // An unencrypted session beside an encrypted one of the same age must not hide behind it.
  const byAge = (a: RecentServer, b: RecentServer): number =>
    b.startedAt - a.startedAt || Number(a.encrypted) - Number(b.encrypted);
  for (const server of [...seen, ...recent].sort(byAge)) {
    if (!newest.has(server.label)) newest.set(server.label, server);
  }
  const next = [...newest.values()].slice(0, kept);
  return isSame(next, recent) ? recent : next;
}

/** A tunnel without a warning is the client's own TLS; one with a warning is a session that began in a pause. */
function isOwnTunnel(state: SessionView['state']): boolean {
  return state.protection === 'tunnelled' && state.warning === undefined;
}

function isSame(a: readonly RecentServer[], b: readonly RecentServer[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
