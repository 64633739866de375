// The system's log (syslog(3), read by journald as well), which Node has no access to.
import koffi from 'koffi';

export type SyslogLevel = 'error' | 'warning' | 'info' | 'debug';

const LEVELS: Readonly<Record<SyslogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
const LOG_DAEMON = 3 << 3;
const LOG_PID = 1;

/** openlog(3) keeps the pointer, so this memory must live as long as the process. */
const ident = Buffer.from('ftpseal-tunnel\0');

let write: ((level: number, text: string) => void) | undefined;

/** One message. Without a daemon that takes it, it is lost, as with every other program. */
export function writeToSyslog(level: SyslogLevel, text: string): void {
  write ??= open();
  write(LEVELS[level], text);
}

function open(): (level: number, text: string) => void {
  const libc = koffi.load(null);
  const openlog: (...args: unknown[]) => unknown = libc.func(
    'void openlog(void *ident, int option, int facility)',
  );
  // `%s` through the variadic part, so that no text is taken for a format.
  const syslog: (...args: unknown[]) => unknown = libc.func('void syslog(int priority, str format, ...)');
  openlog(ident, LOG_PID, LOG_DAEMON);
  return (level, text) => {
    syslog(level, '%s', 'str', text);
  };
}
