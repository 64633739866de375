// What a tunnel tells people: on standard error, or in the system's log. Never into the connection itself.
import { printable } from '../sys/redact.js';
import { writeToSyslog, type SyslogLevel } from './syslog.js';

/** `quiet`: failures and warnings only. */
export type Verbosity = 'quiet' | 'verbose' | 'debug';

export class Report {
  readonly #verbosity: Verbosity;
  readonly #toSyslog: boolean;

  constructor(options: { readonly verbosity: Verbosity; readonly toSyslog: boolean }) {
    this.#verbosity = options.verbosity;
    this.#toSyslog = options.toSyslog;
  }

  error(text: string): void {
    this.#write('error', text);
  }

  warn(text: string): void {
    this.#write('warning', `Warning: ${text}`);
  }

  /** With `-v`. */
  info(text: string): void {
    if (this.#verbosity !== 'quiet') this.#write('info', text);
  }

  /** With `-d`. */
  debug(text: string): void {
    if (this.#verbosity === 'debug') this.#write('debug', text);
  }

  #write(level: SyslogLevel, text: string): void {
    // The sentences hold fingerprints and names, and may be longer than one line of the log of sessions.
    const clean = (text.match(/.{1,150}/gsu) ?? []).map(printable).join('');
    if (this.#toSyslog) writeToSyslog(level, clean);
    else process.stderr.write(`ftpseal tunnel: ${clean}\n`);
  }
}
