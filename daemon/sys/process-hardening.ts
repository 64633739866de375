// What the proxy process gives up about itself before it reads a byte from the network.
import { processControl } from './libc.js';

const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;

/**
 * No core dump and no ptrace by others of the same uid (both would show passwords), and no privilege by executing a
 * set-uid program. For the whole process, not to be undone. Linux only; call it once in the main thread.
 */
export function hardenProcess(): void {
  processControl(PR_SET_DUMPABLE, 0);
  processControl(PR_SET_NO_NEW_PRIVS, 1);
}
