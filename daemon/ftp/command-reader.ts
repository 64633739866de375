// Reads a client's control connection as commands.
import { COMMAND_LINE_MAX } from './limits.js';
import { LineReader } from './line-reader.js';
import { telnetPrefixLength } from './telnet.js';
import { canonicalVerb, verbInfo, type VerbInfo } from './verbs.js';

/** One command line of a client. */
export interface Command {
  /** The line as it came, with CRLF or LF. */
  readonly line: Buffer;
  /** The bytes to send to the server: the line without Telnet commands in front. */
  readonly raw: Buffer;
  /** In upper case; empty for a blank line. */
  readonly verb: string;
  /** Everything behind the verb's space, in latin1 so that every byte survives. */
  readonly argument: string;
  readonly info: VerbInfo;
  /**
   * No NUL and no CR inside the line. Some servers end a command at a bare CR, so an unclean line may hide a
   * second command and is never harmless.
   */
  readonly clean: boolean;
}

export type CommandRead =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'need-more' }
  | { readonly kind: 'too-long' };

/** The command in one line with its line feed. Never fails: what is no command has an empty or an unknown verb. */
export function parseCommand(line: Buffer): Command {
  const raw = line.subarray(telnetPrefixLength(line));
  const text = raw.toString('latin1').replace(/\r?\n$/, '');
  const match = /^[\t ]*([^\s\0]*)[\t ]?([^]*)$/.exec(text);
  const verb = canonicalVerb(match?.[1] ?? '');
  return {
    line,
    raw,
    verb,
    argument: match?.[2] ?? '',
    info: verbInfo(verb),
    clean: !/[\0\r\n]/.test(text),
  };
}

/** Limits a line to COMMAND_LINE_MAX bytes; dead after `too-long`. */
export class CommandReader {
  readonly #lines = new LineReader(COMMAND_LINE_MAX);

  push(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  read(): CommandRead {
    const read = this.#lines.read();
    return read.kind === 'line' ? { kind: 'command', command: parseCommand(read.raw) } : read;
  }

  /** See LineReader.peekRest. For telling FTP from other protocols. */
  peekRest(): Buffer {
    return this.#lines.peekRest();
  }

  /** See LineReader.takeRest. */
  takeRest(): Buffer {
    return this.#lines.takeRest();
  }
}
