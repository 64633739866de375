// Who calls over IPC and what that allows. The uid comes from the operating system (SO_PEERCRED; on
// Windows the TCP table), never from the caller.
import { Fault } from '../../shared/fault.js';
import type { Owner } from '../trust/pin-record.js';
import { isSuperuser, type UserId } from '../../shared/user-id.js';
import type { IpcPeer } from './transport.js';

/**
 * `all`: root, on Windows whoever acts as an administrator, and the user that the proxy runs as (it holds everything anyway).
 * Everybody else: what is theirs.
 */
export type Actor =
  { readonly kind: 'all'; readonly uid: UserId } | { readonly kind: 'user'; readonly uid: UserId };

/** The actor behind a peer; `ownUid` is the daemon's own. */
export function actorOf({ uid, isAdministrator }: IpcPeer, ownUid: UserId | undefined): Actor {
  const isAll = isAdministrator || isSuperuser(uid) || uid === ownUid;
  return { kind: isAll ? 'all' : 'user', uid };
}

/** Whether records and questions of this owner are the actor's to see and to change. The machine's are not a user's. */
export function mayUse(actor: Actor, owner: Owner): boolean {
  return actor.kind === 'all' || (owner.kind === 'user' && owner.uid === actor.uid);
}

/** Whether a session of this uid (undefined: nobody knows whose) is the actor's to see and to close. */
export function maySeeUid(actor: Actor, uid: UserId | undefined): boolean {
  return actor.kind === 'all' || uid === actor.uid;
}

/** The owner of what an actor adds: root adds for the machine, everybody else for themselves. */
export function ownerFor(actor: Actor, wanted: Owner | undefined): Owner {
  const own: Owner = isSuperuser(actor.uid) ? { kind: 'machine' } : { kind: 'user', uid: actor.uid };
  if (wanted === undefined || mayUse(actor, wanted)) return wanted ?? own;
  throw notPermitted('Only root may add keys for others.');
}

/** For what concerns the whole machine. Throws a Fault of code `not-permitted` for an ordinary user. */
export function requireAll(actor: Actor, what: string): void {
  if (actor.kind !== 'all') throw notPermitted(`Only root may ${what}.`);
}

function notPermitted(sentence: string): Fault {
  return new Fault('not-permitted', sentence);
}
