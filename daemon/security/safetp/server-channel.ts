// One control connection on the server's side, from the first line to the last, without I/O: it reads the wire, negotiates, keeps the
// transcript, answers what is the mechanism's own and hands the rest on. For `ftpseal serve`, and for every server in the tests.
import { withoutLineEnd, type OpenedLine } from './control-lines.js';
import type { BlockReader, BlockWriter } from './data-blocks.js';
import { STEP_MS } from './limits.js';
import type { SafetpSession } from './safetp-session.js';
import { SafetpServer, type SafetpServerOptions, type SafetpServerStep } from './server.js';
import { ServerCommands, violationReply, type ProtLevel } from './server-commands.js';
import { Transcript } from './transcript.js';

export type ServerChannelOptions = Omit<SafetpServerOptions, 'transcript'> & {
  /** Transfers only with PROT P; others are answered 522. */
  readonly requirePrivate: boolean;
};

/** What follows from one line of the client. */
export type ServerChannelStep =
  /** In clear and not ours: for another mechanism or, where policy allows clear, for the backend. */
  | { readonly kind: 'clear'; readonly line: string }
  /** A protected command that is not ours. Its number names the transfer that it may ask for. */
  | { readonly kind: 'request'; readonly line: Buffer; readonly sequence: number }
  /** Send these bytes, and wait so long for the next line while not secured. */
  | { readonly kind: 'send'; readonly bytes: Buffer; readonly waitMs: number }
  /** Send these bytes, then close the control connection and all data connections; act on nothing more. */
  | { readonly kind: 'close'; readonly bytes: Buffer; readonly reason: string };

/** How the data of one transfer is protected; in clear for `C`, which the backend's own level may be. */
export type ServerTransfer =
  | { readonly kind: 'clear' }
  /** 522: this server wants PROT P. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'blocks'; readonly reader: () => BlockReader; readonly writer: () => BlockWriter };

/** Belongs to one connection. After `close` it is dead. */
export class ServerChannel {
  readonly #transcript = new Transcript();
  readonly #negotiation: SafetpServer;
  readonly #requirePrivate: boolean;
  #session: SafetpSession | undefined;
  #commands: ServerCommands | undefined;

  constructor({ requirePrivate, ...options }: ServerChannelOptions) {
    this.#negotiation = new SafetpServer({ ...options, transcript: this.#transcript });
    this.#requirePrivate = requirePrivate;
  }

  get secured(): boolean {
    return this.#session !== undefined;
  }

  /**
   * A whole line of the client with its line end, as it came (at most WIRE_LINE_MAX bytes, which the caller's reader sees to), and how
   * many bytes came behind it. Its answer, or that of the backend, must go out by `reply` before the next line is given.
   */
  receive(raw: Buffer, pending: number): ServerChannelStep {
    if (this.#session !== undefined) return this.#onProtected(raw);
    this.#transcript.fromClient(raw);
    return this.#onClear(withoutLineEnd(raw).toString('latin1'), pending);
  }

  /** Only while secured: `receive` in two steps, for a caller that holds requests until it can follow them. It comes first, for each line. */
  open(raw: Buffer): Extract<ServerChannelStep, { kind: 'request' | 'close' }> {
    const line = withoutLineEnd(raw);
    const opened: OpenedLine = this.#session?.opener.open(line) ?? { kind: 'broken' };
    return opened.kind === 'line'
      ? { kind: 'request', line: opened.line, sequence: opened.sequence }
      : violation(opened, line);
  }

  /** The reply to an opened request that is the mechanism’s own (`isMechanismVerb`), to be sent by `reply`; undefined for others. */
  answer(verb: string, argument: string): string | undefined {
    return this.#commands?.answer(verb, argument);
  }

  /** How data goes from now on; `C` before there is a session. */
  get level(): ProtLevel {
    return this.#commands?.level ?? 'C';
  }

  /**
   * One line of a reply (without CRLF) as bytes for the wire; each line of a reply that has several comes by itself. Throws a Fault of
   * code `protocol` in a secured session for a line that is longer than INNER_LINE_MAX or holds a line break.
   */
  reply(line: Uint8Array): Buffer {
    if (this.#session !== undefined) return this.#session.sealer.seal(line).wire;
    const bytes = Buffer.concat([line, Buffer.from('\r\n')]);
    this.#transcript.fromServer(bytes);
    return bytes;
  }

  /** For the transfer that the request with this number asks for; the level that holds now. */
  transfer(fileSequence: number): ServerTransfer {
    const session = this.#session;
    const { level, bufferSize, transferAllowed } = this.#commands ?? {};
    if (session === undefined || level === undefined) return { kind: 'clear' };
    if (transferAllowed === false) return { kind: 'refused' };
    if (level === 'C' || bufferSize === undefined) return { kind: 'clear' };
    const transfer = { level, fileSequence, bufferSize };
    return {
      kind: 'blocks',
      reader: () => session.blockReader(transfer),
      writer: () => session.blockWriter(transfer),
    };
  }

  #onClear(line: string, pending: number): ServerChannelStep {
    const step = this.#negotiation.onLine(line, pending);
    switch (step.kind) {
      case 'other':
        return { kind: 'clear', line };
      case 'reply':
        return { kind: 'send', bytes: this.#say(step.line), waitMs: step.waitMs };
      case 'close':
        return {
          kind: 'close',
          bytes: step.line === undefined ? Buffer.alloc(0) : this.#say(step.line),
          reason: step.reason,
        };
      case 'secured':
        return this.#onSecured(step);
    }
  }

  #onSecured(step: Extract<SafetpServerStep, { kind: 'secured' }>): ServerChannelStep {
    const bytes = this.#say(step.line);
    this.#session = step.secure();
    this.#commands = new ServerCommands({
      digest: this.#session.digest,
      requirePrivate: this.#requirePrivate,
    });
    return { kind: 'send', bytes, waitMs: STEP_MS };
  }

  #onProtected(raw: Buffer): ServerChannelStep {
    const opened = this.open(raw);
    if (opened.kind === 'close') return opened;
    const [, verb = '', argument = ''] = /^([^ ]*) ?([^]*)$/.exec(opened.line.toString('latin1')) ?? [];
    const answer = this.answer(verb, argument);
    return answer === undefined ? opened : { kind: 'send', bytes: this.#say(answer), waitMs: STEP_MS };
  }

  #say(line: string): Buffer {
    return this.reply(Buffer.from(line, 'utf8'));
  }
}

/** Answered in clear: whoever sent it does not have the keys. */
function violation(
  opened: Exclude<OpenedLine, { kind: 'line' }>,
  wire: Buffer,
): Extract<ServerChannelStep, { kind: 'close' }> {
  const verb = /^[A-Za-z]*/.exec(wire.toString('latin1'))?.[0] ?? '';
  const bytes = Buffer.from(`${violationReply(opened, verb)}\r\n`, 'latin1');
  return { kind: 'close', bytes, reason: `a line that is ${opened.kind}` };
}
