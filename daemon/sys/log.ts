// The log: JSON lines in <state-dir>/log/ftpseal.log, lines for people on stderr in the foreground, entries in systemd's journal.
// Text from FTP lines comes in through redact.ts only.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';
import type { Journal } from './journal.js';
import { formatEntry } from './log-line.js';
import { printable } from './redact.js';
import { RotatingFile, type FileTrouble } from './rotating-file.js';
import { shownTime, steadyNow } from './steady-clock.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean>>;

export interface LogOptions {
  /** Where the JSON lines go; undefined: nowhere. */
  readonly stateDir: string | undefined;
  /** Lines for people go to stderr as well. */
  readonly foreground: boolean;
  readonly level: LogLevel;
  /** Entries go there as well. */
  readonly journal?: Journal | undefined;
}

/** 4 files of 8 MiB: weeks of a busy desktop, and a bound that no server can exceed. */
const rotation = { maxBytes: 8 * 1024 * 1024, keep: 3 };
/** What `tail` reads at most, from the end. */
const tailBytes = 2 * 1024 * 1024;

/** Field names that never carry anything, whoever passes them; the second line of defence after redact.ts. */
const neverLogged = ['pass', 'password', 'acct', 'adat', 'secret', 'line', 'bytes'];

/** See the head of the file. */
export class Log {
  readonly #pino: Logger;
  readonly #file: RotatingFile | undefined;
  readonly #path: string | undefined;
  readonly #journal: Journal | undefined;
  readonly #foreground: boolean;
  readonly #listeners = new Set<(line: string) => void>();
  #trouble: string | undefined;

  /** Does not throw: a log that can't be written is no reason to leave connections in clear. */
  constructor({ stateDir, foreground, level, journal }: LogOptions) {
    this.#journal = journal;
    this.#foreground = foreground;
    this.#path = stateDir === undefined ? undefined : logPath(stateDir);
    this.#file = this.#path === undefined ? undefined : this.#openFile(this.#path);
    const destination: DestinationStream = {
      write: (line: string) => {
        this.#file?.write(line);
        for (const listener of this.#listeners) listener(line.trimEnd());
      },
    };
    const redact = { paths: neverLogged, censor: '****' };
    const options = { level, redact, base: { pid: process.pid }, messageKey: 'message' };
    this.#pino = pino({ ...options, formatters: { level: (label) => ({ level: label }) } }, destination);
  }

  /** Why lines are lost now; undefined while none are. */
  trouble(): string | undefined {
    return this.#trouble;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.write('debug', message, fields);
  }
  info(message: string, fields: LogFields = {}): void {
    this.write('info', message, fields);
  }
  warn(message: string, fields: LogFields = {}): void {
    this.write('warn', message, fields);
  }
  error(message: string, fields: LogFields = {}): void {
    this.write('error', message, fields);
  }

  /** One entry. Strings are made printable, so that no name from outside forges a line. */
  write(level: LogLevel, message: string, fields: LogFields): void {
    if (!this.#pino.isLevelEnabled(level)) return;
    const clean = Object.entries(fields).map(
      ([name, value]) => [name, typeof value === 'string' ? printable(value) : value] as const,
    );
    const named: LogFields = Object.fromEntries(clean);
    const text = printable(message);
    this.#pino[level](named, text);
    if (!this.#foreground && this.#journal === undefined) return;
    const shown = withoutSecrets(named);
    if (this.#foreground)
      process.stderr.write(`${formatEntry({ level, time: shownTime(steadyNow()), message: text }, shown)}\n`);
    this.#journal?.(level, text, shown);
  }

  #openFile(path: string): RotatingFile {
    return new RotatingFile(path, rotation, (trouble) => {
      this.#hear(path, trouble);
    });
  }

  /** To stderr too, which is where a service's words go when its own log can't be written. */
  #hear(path: string, trouble: FileTrouble): void {
    if (trouble.kind === 'losing') {
      this.#trouble = `The log ${path} can’t be written (${trouble.reason}): lines are lost until it can.`;
      process.stderr.write(`ftpseal: ${this.#trouble}\n`);
      return;
    }
    this.#trouble = undefined;
    if (trouble.lost > 0) this.warn('the log can be written again; lines were lost', { lines: trouble.lost });
  }

  /** The last lines of the current file, oldest first. */
  async tail(count: number): Promise<readonly string[]> {
    if (this.#path === undefined || count === 0) return [];
    const file = await open(this.#path, 'r');
    try {
      const { size } = await file.stat();
      const start = Math.max(0, size - tailBytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
      const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
      // Reading that began in the middle of the file began in the middle of a line.
      return lines
        .slice(start === 0 ? 0 : 1)
        .filter((line) => line !== '')
        .slice(-count);
    } finally {
      await file.close();
    }
  }

  /** Calls back with every new JSON line; returns the function that ends it. */
  subscribe(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#file?.close();
  }
}

function withoutSecrets(fields: LogFields): LogFields {
  const entries = Object.entries(fields);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, neverLogged.includes(name) ? '****' : value]),
  );
}

export function logPath(stateDir: string): string {
  return join(stateDir, 'log', 'ftpseal.log');
}
