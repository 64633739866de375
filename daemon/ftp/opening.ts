// Where a session may turn out not to be ours: before and during the greeting, when it is not FTP at all, and when the client
// negotiates its own protection.
import { TLS_WORDS } from '../security/tls.js';
import type { Command } from './command-reader.js';
import type { Control } from './control.js';
import { NEGOTIATION_REPLY_MS } from './limits.js';
import { ReplyCounter } from './reply-counter.js';
import { asOneLine, replyClass, type Reply, type ReplyLine } from './reply-reader.js';
import { sentences } from './sentences.js';
import { judgeTlsStart } from './tls-start.js';
import { GiveawayWatcher } from './watcher.js';

const LF = 0x0a;

/** What the opening needs to know, and whom it tells. */
export interface OpeningHost {
  /** The connection is protected already (implicit mode). */
  isSecured(): boolean;
  /** The server has greeted. */
  greeted(): void;
}

export class Opening {
  readonly #control: Control;
  readonly #host: OpeningHost;
  readonly #watcher = new GiveawayWatcher();
  /** While nobody knows that it is FTP: what the server answered, and what it was asked. */
  readonly #answered = new ReplyCounter();
  #asked = 0;
  #authWord = '';
  /** The beginning of the client's own handshake, as long as it is too short to be told. */
  #hello = Buffer.alloc(0);
  /** The client and the server have agreed on a mechanism that is not TLS. */
  #clientAgreed = false;
  #resume: 'plain' | 'cleartext' = 'plain';

  constructor(control: Control, host: OpeningHost) {
    this.#control = control;
    this.#host = host;
  }

  // The greeting

  awaitGreeting(): void {
    this.#control.to('greeting');
    this.#control.outbox.setTimer('negotiation', NEGOTIATION_REPLY_MS);
    this.considerClient();
  }

  onGreetingLine(line: ReplyLine): void {
    const { context, outbox } = this.#control;
    if (line.code === undefined && !this.#isIdleTalk(line.text)) {
      this.#leaveFtp(line.raw);
      return;
    }
    const kind = replyClass(line.code ?? 0);
    if (context.greeting === 'forward' || kind >= 4) outbox.toClient(asOneLine(line.raw));
    if (!line.last) return;
    if (kind === 1) {
      outbox.setTimer('negotiation', NEGOTIATION_REPLY_MS);
      return;
    }
    outbox.clearTimer('negotiation');
    if (kind >= 4) this.#control.close();
    else this.#host.greeted();
  }

  /** After all whole lines were read: could what is left still become a greeting? */
  considerServer(): void {
    if (!this.#control.replies.isPlausible && !this.#isIdleTalk('?')) this.#leaveFtp(Buffer.alloc(0));
  }

  /** A line without a code that does not end the wait: a blank one, or any, where the client has shown that it speaks FTP. */
  #isIdleTalk(text: string): boolean {
    return text.trim() === '' || (this.#mayLeaveFtp && this.#control.commands.opening === 'ftp');
  }

  /** A client that speaks before the greeting: FTP programs may pipeline, others are not FTP. */
  considerClient(): void {
    const { commands, replies } = this.#control;
    if (commands.opening === 'other' && !replies.midReply && this.#mayLeaveFtp) this.#passThrough();
  }

  /** The wait is over. Who has not said a word of FTP may be somebody else. */
  onSilence(): void {
    const { commands, label } = this.#control;
    if (commands.opening === 'ftp' || !this.#mayLeaveFtp)
      this.#control.fail(sentences.greetingMissing(label));
    else this.#passThrough();
  }

  // Not FTP

  /** A man in the middle may have sent the odd bytes to get just that, so a server that was secure stays FTP. */
  get #mayLeaveFtp(): boolean {
    const { knownSecure, greeting } = this.#control.context;
    return !knownSecure && greeting === 'forward' && !this.#host.isSecured();
  }

  #leaveFtp(serverBytes: Uint8Array): void {
    const { context, label } = this.#control;
    if (this.#mayLeaveFtp) this.#passThrough(serverBytes);
    else this.#control.fail(context.knownSecure ? sentences.notFtp(label) : sentences.noFtp(label));
  }

  #passThrough(serverBytes: Uint8Array = Buffer.alloc(0)): void {
    const { outbox, replies, commands } = this.#control;
    this.#control.to('passthrough');
    outbox.clearTimer('negotiation');
    this.relay(serverBytes);
    this.relay(replies.takeRest());
    this.watch(commands.takeRaw());
  }

  /** Bytes of a server that is passed through. */
  relay(bytes: Uint8Array): void {
    this.#answered.push(bytes);
    this.#control.outbox.toClient(bytes);
  }

  /** Bytes of a client that is passed through. If they turn out to be FTP the session is `plain` from there on. */
  watch(bytes: Uint8Array): void {
    const { pass, ftp } = this.#watcher.push(bytes);
    this.#control.outbox.toServer(pass);
    this.#asked += pass.filter((byte) => byte === LF).length;
    if (ftp === undefined) return;
    if (this.#clientAgreed) {
      this.#control.fail(sentences.clientStayedClear());
      return;
    }
    // A greeting, and an answer for each line: more would lie in wait at the client, for what it will ask under protection.
    if (this.#answered.count > this.#asked + 1) {
      this.#control.fail(sentences.outOfStep(this.#control.label));
      return;
    }
    this.#control.to('plain');
    this.#control.startStream();
    this.#control.commands.push(ftp);
  }

  // The client's own AUTH

  beginClientAuth(command: Command): void {
    this.#resume = this.#control.phase === 'cleartext' ? 'cleartext' : 'plain';
    this.#authWord = command.argument.trim().toUpperCase();
    this.#control.to('clientAuth');
    this.#control.send(command, { kind: 'clientAuth' });
  }

  /** The client goes on with something else than ADAT. */
  leaveClientAuth(): void {
    this.#control.to(this.#resume);
  }

  onClientAuthReply(reply: Reply): void {
    const { outbox, phase } = this.#control;
    const isOver = replyClass(reply.code) !== 1 && replyClass(reply.code) !== 3;
    const agreed = reply.code === 234 || reply.code === 235;
    if (phase === 'clientAuth' && isOver && !agreed) this.#control.to(this.#resume);
    outbox.toClient(reply.raw);
    if (phase === 'clientAuth' && agreed) this.#onAgreed();
  }

  #onAgreed(): void {
    if (this.#control.replies.pending > 0) {
      this.#control.fail(sentences.injected(this.#control.label));
    } else if (TLS_WORDS.some(({ word }) => word === this.#authWord)) {
      this.#control.to('clientAgreed');
      this.considerHandshake();
    } else {
      // What is not TLS wraps lines, and can't be told from no protection at all but by what is said in clear.
      this.#clientAgreed = true;
      this.#passThrough();
    }
  }

  /**
   * Only the beginning of a TLS handshake makes a tunnel. A program may ask for AUTH, get a 234 from somebody in between, and go on
   * in clear; whatever it says then must not leave.
   */
  considerHandshake(): void {
    this.#hello = Buffer.concat([this.#hello, this.#control.commands.takeRaw()]);
    const start = judgeTlsStart(this.#hello);
    if (start === 'other') this.#control.fail(sentences.clientStayedClear());
    if (start !== 'hello') return;
    this.#control.outbox.toServer(this.#hello);
    this.#control.tunnel();
  }
}
