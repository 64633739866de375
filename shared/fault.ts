// The one error type of the program outside the core. A fault carries a code for logs and scripts
// and a sentence for people; the cause stays attached for the log and is never shown.

/** Every code a fault may carry. Codes go to logs and `--json`; people read `userMessage`. */
export type FaultCode =
  | 'usage' // the command line or a value typed by a person is wrong
  | 'config' // the configuration file is wrong
  | 'not-permitted' // the caller lacks a right
  | 'no-daemon' // nothing listens on the runtime socket
  | 'missing-tool' // a program or kernel feature that ftpseal needs is not there
  | 'redirect' // the redirect layer refused or failed
  | 'store' // the key store can't be read or written
  | 'key' // a key, fingerprint or certificate can't be understood
  | 'network' // a socket failed
  | 'protocol' // a peer (IPC, worker, parent) broke the protocol
  | 'internal'; // a bug

/** The exit codes of the command line (ARCHITECTURE.md section 10). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noDaemon: 3,
  notPermitted: 4,
  notSecuring: 5,
  attention: 6,
  retired: 75,
} as const;

/**
 * An error with a code and a sentence for people: what happened, what it means, what to do.
 * `userMessage` holds no secret and no stack; the technical cause is in `cause`.
 */
export class Fault extends Error {
  readonly code: FaultCode;
  readonly userMessage: string;

  constructor(code: FaultCode, userMessage: string, cause?: unknown) {
    super(userMessage, cause === undefined ? undefined : { cause });
    this.name = 'Fault';
    this.code = code;
    this.userMessage = userMessage;
  }

  /** Any caught value as a fault; a fault passes unchanged. The sentence for an unknown error is its message. */
  static from(value: unknown, code: FaultCode = 'internal'): Fault {
    if (value instanceof Fault) return value;
    const message = value instanceof Error ? value.message : String(value);
    return new Fault(code, message, value);
  }
}

/** The exit code that the command line uses for a fault. */
export function exitCodeOf(fault: Fault): number {
  if (fault.code === 'usage') return EXIT.usage;
  if (fault.code === 'no-daemon') return EXIT.noDaemon;
  if (fault.code === 'not-permitted') return EXIT.notPermitted;
  return EXIT.failed;
}
