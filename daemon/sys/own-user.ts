// As whom this process runs.
import { isSuperuser, type UserId } from '../../shared/user-id.js';
import { processOwner } from './windows/process-owner.js';

let windowsUser: UserId | undefined;

/** Effective uid, or on Windows the SID of the account; undefined if Windows does not say. */
export function ownUser(): UserId | undefined {
  if (process.platform !== 'win32') return process.geteuid?.();
  windowsUser ??= processOwner(process.pid)?.sid;
  return windowsUser;
}

/** Whether this is root, or on Windows the system's own account. */
export function isMachine(): boolean {
  const user = ownUser();
  return user !== undefined && isSuperuser(user);
}
