// X-SafeTP1 towards the client: in clear it keeps the transcript and negotiates, afterwards every line of either side passes through
// it. It stands as long as the mechanism may still be asked for, or protects.
import { LineReader } from '../../ftp/line-reader.js';
import { REPLY_LINE_MAX } from '../../ftp/limits.js';
import { telnetPrefixLength } from '../../ftp/telnet.js';
import { withoutLineEnd } from '../../security/safetp/control-lines.js';
import { WIRE_LINE_MAX } from '../../security/safetp/limits.js';
import { attempt } from '../../security/safetp/malformed.js';
import {
  ServerChannel,
  type ServerChannelStep,
  type ServerTransfer,
} from '../../security/safetp/server-channel.js';
import { violationReply, type ProtLevel } from '../../security/safetp/server-commands.js';
import type { ServeContext } from './policy.js';

const CRLF = Buffer.from('\r\n');

/** What came of bytes that should be protected. */
export interface OpenedBytes {
  /** The commands in them, each with CRLF. */
  readonly commands: Buffer;
  /** Behind them came something that is not protected as it should be: send this, in clear, and close. */
  readonly violation: Buffer | undefined;
}

/** Undefined where X-SafeTP1 is not offered. */
export function createShield({ policy, safetp, implicit }: ServeContext): ClientShield | undefined {
  if (safetp === undefined || implicit) return undefined;
  const requirePrivate = policy.require === 'secure-data';
  return new ClientShield(new ServerChannel({ ...safetp, mechanisms: policy.mechanisms, requirePrivate }));
}

/** Belongs to one control connection; holds at most one line of either side. */
export class ClientShield {
  readonly #channel: ServerChannel;
  readonly #wire = new LineReader(WIRE_LINE_MAX);
  readonly #replies = new LineReader(REPLY_LINE_MAX);
  #taken = 0;

  constructor(channel: ServerChannel) {
    this.#channel = channel;
  }

  /** Lines are protected from here on. */
  get secured(): boolean {
    return this.#channel.secured;
  }

  get level(): ProtLevel {
    return this.#channel.level;
  }

  /** Only in clear: a whole line of the client. See ServerChannel. */
  receive(line: Buffer, pending: number): ServerChannelStep {
    return this.#channel.receive(line, pending);
  }

  /** Only while secured. After a violation it is dead. */
  open(bytes: Uint8Array): OpenedBytes {
    const commands: Buffer[] = [];
    this.#wire.push(bytes);
    for (let read = this.#wire.read(); read.kind !== 'need-more'; read = this.#wire.read()) {
      const opened = read.kind === 'line' ? this.#channel.open(read.raw) : TOO_LONG;
      if (opened.kind === 'close') return { commands: Buffer.concat(commands), violation: opened.bytes };
      commands.push(opened.line, CRLF);
    }
    return { commands: Buffer.concat(commands), violation: undefined };
  }

  /** The number of the oldest opened command, which is thereby taken: each one has its own, and they are taken in order. */
  takeNumber(): number {
    this.#taken += 1;
    return this.#taken - 1;
  }

  /** The reply to a command that is the mechanism's own. */
  answer(verb: string, argument: string): string | undefined {
    return this.#channel.answer(verb, argument.trim());
  }

  transfer(sequence: number): ServerTransfer {
    return this.#channel.transfer(sequence);
  }

  /** Replies as they go on the wire, whole lines only; undefined for a line that can't be protected because it is too long. */
  seal(bytes: Uint8Array): Buffer | undefined {
    const wire: Buffer[] = [];
    this.#replies.push(bytes);
    for (let read = this.#replies.read(); read.kind !== 'need-more'; read = this.#replies.read()) {
      if (read.kind === 'too-long') return undefined;
      const line = withoutLineEnd(read.raw);
      const sealed = attempt(() => this.#channel.reply(this.secured ? asInnerLine(line) : line));
      if (sealed.kind === 'malformed') return undefined;
      wire.push(sealed.value);
    }
    return Buffer.concat(wire);
  }
}

const TOO_LONG: Extract<ServerChannelStep, { kind: 'close' }> = {
  kind: 'close',
  bytes: Buffer.from(`${violationReply({ kind: 'broken' }, '')}\r\n`, 'latin1'),
  reason: 'a line that is too long',
};

/** Without Telnet commands in front, and with every CR marked as no line end (RFC 854): a peer ends the session over them. */
function asInnerLine(line: Buffer): Buffer {
  const text = line.subarray(telnetPrefixLength(line)).toString('latin1');
  return Buffer.from(text.replace(/\r(?!\0)/g, '\r\0'), 'latin1');
}
