// Who owns a process, a connection or a record: a uid where users are numbers, a SID on Windows. The two never meet on one
// machine, and no number equals a SID, so an id is a key of a map as it is. Pure, and free of zod: the supervisor needs it before that is loaded.

/** A security identifier of Windows in its usual text, e.g. `S-1-5-21-1-2-3-1001`. Made by `parseSid` only. */
export type Sid = string & { readonly __brand: 'Sid' };

/** The id of a user as the operating system gives it; nobody computes with it. */
export type UserId = number | Sid;

/** The system's own account of Windows. */
const LOCAL_SYSTEM = 'S-1-5-18';

/** Text as a SID; `undefined` if it is none. At most 15 parts follow the authority (winnt.h, SID_MAX_SUB_AUTHORITIES). */
export function parseSid(text: string): Sid | undefined {
  return /^S-1-[0-9]{1,15}(-[0-9]{1,10}){1,15}$/.test(text) ? (text as Sid) : undefined;
}

/** Whether this id is the machine's own: root, or Windows' local system account. */
export function isSuperuser(uid: UserId): boolean {
  return uid === 0 || uid === LOCAL_SYSTEM;
}
