// The control connection as all parts of a session share it: its phase, what waits on either side, and the ways to speak and to end.
import { formatEndpoint, type Port } from '../../shared/endpoint.js';
import type { Command } from './command-reader.js';
import { CommandQueue } from './command-queue.js';
import { Outbox } from './outbox.js';
import { Pairing, type Exchange } from './pairing.js';
import { ReplyStream } from './reply-stream.js';
import { ownReply } from './sentences.js';
import type { SessionContext } from './session-context.js';
import { advance, type Phase } from './state.js';

const IMPLICIT_PORT = 990 as Port;

/** Belongs to one session; decides nothing. After `close` or `tunnel` nothing can be said any more. */
export class Control {
  readonly context: SessionContext;
  readonly outbox = new Outbox();
  readonly commands = new CommandQueue();
  readonly pairing = new Pairing();
  replies = new ReplyStream(this.pairing);
  /** From the configuration, or from HOST. */
  name: string | undefined;
  #phase: Phase = 'connecting';

  constructor(context: SessionContext) {
    this.context = context;
    this.name = context.policy.name;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Ignored once the session has ended: whoever ended it has had the last word. */
  to(phase: Phase): void {
    if (!this.ended) this.#phase = advance(this.#phase, phase);
  }

  get ended(): boolean {
    return this.#phase === 'closed' || this.#phase === 'tunnel';
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

  /** Sends bytes of the client that get a reply. */
  send(command: Command, exchange: Exchange): void {
    this.pairing.expect(exchange);
    this.outbox.toServer(command.raw);
  }

  /** Sends a line of our own (without CRLF) that gets a reply. */
  sendOwn(line: string, exchange: Exchange): void {
    this.pairing.expect(exchange);
    this.outbox.toServer(Buffer.from(`${line}\r\n`, 'latin1'));
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
