// The control connection as all parts of a session share it: its phase, what waits on either side, and the ways to speak and to end.
import { formatEndpoint, type Port } from '../../shared/endpoint.js';
import type { LineProtection, MechanismContext } from '../security/mechanism.js';
import type { NameSource } from '../../shared/trust.js';
import type { Command } from './command-reader.js';
import { CommandQueue } from './command-queue.js';
import { LineShield } from './line-shield.js';
import { Outbox } from './outbox.js';
import { Pairing, type Exchange, type OwnKind } from './pairing.js';
import { ReplyStream } from './reply-stream.js';
import { ownReply, sentences } from './sentences.js';
import type { SessionContext } from './session-context.js';
import { advance, type Phase } from './state.js';

const IMPLICIT_PORT = 990 as Port;

/** The phases from which a negotiation that covers what was said before can still come, or in which it is. */
const SPOKEN_IN_CLEAR: readonly Phase[] = [
  'connecting',
  'greeting',
  'plain',
  'clientAuth',
  'negotiating',
  'judgingKey',
  'proving',
];

/** Belongs to one session; decides nothing. After `close` or `tunnel` nothing can be said any more. */
export class Control {
  readonly context: SessionContext;
  readonly outbox = new Outbox();
  readonly commands = new CommandQueue();
  readonly pairing = new Pairing();
  replies = new ReplyStream(this.pairing);
  /** What the session was told, or what the client said since. */
  name: string | undefined;
  nameFrom: NameSource | undefined;
  readonly #shield: LineShield;
  #phase: Phase = 'connecting';

  constructor(context: SessionContext) {
    this.context = context;
    this.name = context.policy.name;
    this.nameFrom = context.nameFrom;
    this.#shield = new LineShield(context.policy.tls.mechanisms);
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Ignored once the session has ended: whoever ended it has had the last word. */
  to(phase: Phase): void {
    if (this.ended) return;
    this.#phase = advance(this.#phase, phase);
    if (!SPOKEN_IN_CLEAR.includes(phase)) this.#shield.forgetTranscript();
  }

  get ended(): boolean {
    return this.#phase === 'closed' || this.#phase === 'tunnel';
  }

  /**
   * The client names the server that it wants. That beats a name that was only looked up, and gives way to one that the administrator
   * wrote down.
   */
  nameByClient(name: string | undefined): void {
    if (name === undefined || (this.name !== undefined && this.nameFrom !== 'resolver')) return;
    this.name = name;
    this.nameFrom = 'client';
  }

  /** What to call the server in a sentence. */
  get label(): string {
    return this.name ?? formatEndpoint(this.context.server).replace(/:21$/, '');
  }

  /** Implicit FTPS has its own port (990); an explicit choice of another port in the client is respected. */
  dial(): void {
    const { policy, server } = this.context;
    const port = policy.mode === 'implicit' && server.port === 21 ? IMPLICIT_PORT : server.port;
    this.outbox.emit({ kind: 'dial', port });
  }

  /** Forgets what was said to the server and what it said: from here on its stream starts anew. */
  startStream(): void {
    this.pairing.clear();
    this.replies = new ReplyStream(this.pairing);
  }

  /** Sends bytes of the client that get a reply. The number is that of a protected line. */
  send(command: Command, exchange: Exchange): number | undefined {
    this.pairing.expect(exchange);
    return this.#say(command.raw);
  }

  /** Sends a line of our own (without CRLF) that gets a reply. */
  sendOwn(line: string, kind: OwnKind): void {
    this.pairing.expect({ kind, verb: line.split(' ', 1)[0] ?? '' });
    this.#say(Buffer.from(`${line}\r\n`, 'latin1'));
  }

  #say(line: Buffer): number | undefined {
    const sealed = this.#shield.seal(line);
    if (sealed === undefined) {
      this.fail(sentences.lineRefused(), 500);
      return undefined;
    }
    this.outbox.toServer(sealed.wire);
    return sealed.sequence;
  }

  // The protection of lines (X-SafeTP1); without it they pass as they are

  /** What the server sent, as replies; empty once the session has ended because it was not authentic. */
  heard(bytes: Uint8Array): Uint8Array {
    const opened = this.#shield.open(bytes);
    if (opened !== undefined) return opened;
    this.fail(sentences.lineNotAuthentic(this.label));
    return Buffer.alloc(0);
  }

  /** For mechanisms that cover what was said before them; undefined where there is none or not all of it is known. */
  get mechanismContext(): MechanismContext | undefined {
    const { transcript } = this.#shield;
    return transcript === undefined ? undefined : { server: this.context.server.address, transcript };
  }

  /** The protection of lines that is in force. */
  get lines(): LineProtection | undefined {
    return this.#shield.lines;
  }

  protectLines(lines: LineProtection): void {
    this.#shield.raise(lines);
  }

  /** Ends the session with a sentence for the client. */
  fail(sentence: string, code = 421): void {
    if (this.ended) return;
    this.outbox.emit({ kind: 'sendClient', bytes: Buffer.from(ownReply(code, sentence)) });
    this.close();
  }

  /** Ends the session without a word. */
  close(): void {
    if (this.ended) return;
    this.outbox.emit({ kind: 'close' });
    this.outbox.seal();
    this.to('closed');
  }

  /** Hands both connections over to the driver. */
  tunnel(): void {
    this.to('tunnel');
    this.outbox.emit({ kind: 'tunnel' });
    this.outbox.seal();
  }
}
