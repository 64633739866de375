// What the proxy process gives up about itself before it reads a byte from the network.
import { processControl } from './libc.js';
import { dropPrivileges } from './windows/privileges.js';

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;

/**
 * Linux: no core dump and no ptrace by others of the same uid (both would show passwords), and no privilege by executing a
 * set-uid program. Windows: no privileges. For the whole process, not to be undone; call it once in the main thread.
 */
export function hardenProcess(): void {
  if (process.platform === 'win32') {
    dropPrivileges();
    return;
  }
  processControl(PR_SET_DUMPABLE, 0);
  processControl(PR_SET_NO_NEW_PRIVS, 1);
}
