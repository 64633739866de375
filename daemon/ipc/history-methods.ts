// The IPC method about the history, and how changes of keys get into it.
import { userIdSchema } from '../../shared/user-id-schema.js';
import { isSuperuser, type UserId } from '../../shared/user-id.js';
import type { HistoryEvent } from '../../shared/ipc-messages.js';
import type { History } from '../history/history.js';
import type { LogFields } from '../sys/log.js';
import type { Owner } from '../trust/pin-record.js';
import { mayUse } from './actor.js';
import type { MethodTable } from './dispatch.js';

export function historyMethods(history: History): Pick<MethodTable, 'history.list'> {
  return {
    'history.list': ({ limit }, { actor }) => ({
      events: [...history.list((owner) => mayUse(actor, owner), limit)],
    }),
  };
}

/** What the methods about keys note, as an event of the user who did it. */
export function keysEvent(message: string, fields: LogFields, at: number): HistoryEvent {
  const { byUid, key, server } = fields;
  const actor = userIdSchema.safeParse(byUid);
  const counts = Object.entries(fields).filter(
    ([name, value]) => name !== 'byUid' && typeof value === 'number',
  );
  const details = counts.map(([name, value]) => `${name} ${String(value)}`).join(', ');
  const sentence = `${message.charAt(0).toUpperCase()}${message.slice(1)}`;
  return {
    at,
    owner: ownerOf(actor.success ? actor.data : 0),
    kind: 'keys',
    server: typeof server === 'string' ? server.slice(0, 300) : '',
    text: details === '' ? `${sentence}.` : `${sentence} (${details}).`,
    ...(typeof key === 'string' ? { fingerprint: key } : {}),
  };
}

function ownerOf(uid: UserId): Owner {
  return isSuperuser(uid) ? { kind: 'machine' } : { kind: 'user', uid };
}
