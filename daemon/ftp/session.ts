// One intercepted control connection: events in, effects out. This file joins the parts: opening.ts (greeting, and what is not
// ours), securing.ts (the way to protection), conversation.ts (commands and replies) with transfer.ts (data), over one control.ts.
import { AnswerWatch } from './answer-watch.js';
import { Control } from './control.js';
import { Conversation } from './conversation.js';
import type { Effect } from './effects.js';
import type { Event, TimerName } from './events.js';
import { HELD_REPLIES_MAX, LINGER_MS } from './limits.js';
import { Opening } from './opening.js';
import { Securing } from './securing.js';
import { sentences } from './sentences.js';
import type { SessionContext, SessionView } from './session-context.js';
import type { Phase } from './state.js';

export type { SessionContext, SessionView } from './session-context.js';

/** Phases in which the server's bytes are replies. */
const LISTENING: readonly Phase[] = [
  'greeting',
  'plain',
  'clientAuth',
  'negotiating',
  'proving',
  'judgingClear',
  'reconnecting',
  'secured',
  'cleartext',
];
/** Phases in which a client that will say no more may still be waiting for answers. */
const WORKING: readonly Phase[] = ['plain', 'negotiating', 'handshaking', 'proving', 'secured', 'cleartext'];

/**
 * `step` is total: it never throws for anything a peer does, and after `close` or `tunnel` it returns nothing. Its
 * memory is bounded by limits.ts as long as the driver stops reading the client while `wantsClient` is false.
 */
export class Session {
  readonly #control: Control;
  readonly #opening: Opening;
  readonly #securing: Securing;
  readonly #conversation: Conversation;
  readonly #answers: AnswerWatch;
  #serverEnded = false;
  #clientEnded = false;
  /** The server has said something since the client ended, or since the last look. */
  #heard = false;
  /** The timer of that name runs. */
  #lingering = false;

  constructor(context: SessionContext) {
    this.#control = new Control(context);
    this.#answers = new AnswerWatch(this.#control);
    this.#securing = new Securing(this.#control, {
      keyAllowed: () => {
        this.#onKeyAllowed();
      },
      secured: () => {
        this.#onSecured();
      },
    });
    this.#opening = new Opening(this.#control, {
      isSecured: () => this.#securing.identity !== undefined,
      greeted: () => {
        this.#onGreeted();
      },
    });
    this.#conversation = new Conversation(this.#control, {
      opening: this.#opening,
      securing: this.#securing,
    });
  }

  /** The first effects: dial the server. */
  start(): readonly Effect[] {
    this.#control.dial();
    return this.#control.outbox.take();
  }

  /** Everything that follows from one event, in order. */
  step(event: Event): readonly Effect[] {
    if (this.#control.ended) return [];
    this.#on(event);
    this.#advance();
    return this.#control.outbox.take();
  }

  /** False while enough commands are held: the driver must not read the client then. */
  get wantsClient(): boolean {
    return this.#control.commands.wantsMore;
  }

  /** Every command of the client has its answer. */
  get atRest(): boolean {
    return this.#conversation.atRest;
  }

  get phase(): Phase {
    return this.#control.phase;
  }

  view(): SessionView {
    return {
      phase: this.#control.phase,
      data: this.#conversation.dataProtection,
      identity: this.#securing.identity,
      warning: this.#securing.warning,
      transfers: this.#conversation.transfer.completed,
      cut: this.#conversation.transfer.cut,
      name: this.#control.name,
      nameFrom: this.#control.nameFrom,
    };
  }

  #on(event: Event): void {
    const { transfer } = this.#conversation;
    switch (event.kind) {
      case 'serverConnected':
        this.#onServerConnected();
        break;
      case 'serverFailed':
        this.#control.fail(sentences.serverUnreachable(this.#control.label, event.reason));
        break;
      case 'clientBytes':
        this.#onClientBytes(event.bytes);
        break;
      case 'clientClosed':
        this.#onClientClosed();
        break;
      case 'serverBytes':
        if (!this.#securing.serverLost) this.#onServerBytes(event.bytes);
        break;
      case 'serverClosed':
        if (!this.#securing.serverLost) this.#onServerClosed();
        break;
      case 'tlsEstablished':
        this.#securing.onTlsEstablished(event.identity);
        break;
      case 'tlsFailed':
        this.#control.fail(sentences.tlsFailed(this.#control.label, event.reason));
        break;
      case 'decided':
        this.#securing.onDecided(event.decision);
        break;
      case 'timer':
        this.#onTimer(event.timer);
        break;
      case 'clientListening':
        transfer.onClientListening(event.channel, event.endpoint);
        break;
      case 'clientConnected':
        transfer.onClientConnected(event.channel);
        break;
      case 'serverReached':
        transfer.onServerReached(event.channel);
        break;
      case 'serverListening':
        transfer.onServerListening(event.channel, event.endpoint);
        break;
      case 'channelFailed':
        transfer.onChannelFailed(event.channel, event.leg, event.reason);
        break;
      case 'dataSettled':
        transfer.onDataSettled(event.channel, event.outcome);
        break;
    }
  }

  /** After every event and every reply, so that it makes no difference how the bytes arrived. */
  #advance(): void {
    if (!this.#serverEnded) this.#conversation.advance();
    else if (!this.#conversation.transfer.holding) this.#leave();
    if (this.#control.outbox.overflowing) this.#control.close();
    this.#answers.look();
    if (this.#clientEnded) this.#considerEnd();
  }

  // The client

  /** It may still wait for answers; but a server that gives none must not keep the session for ever. */
  #onClientClosed(): void {
    this.#clientEnded = true;
    this.#heard = false;
    if (!WORKING.includes(this.#control.phase)) this.#control.close();
  }

  #considerEnd(): void {
    if (this.#conversation.atRest) {
      this.#control.close();
    } else if (!this.#lingering) {
      this.#lingering = true;
      this.#control.outbox.setTimer('linger', LINGER_MS);
    }
  }

  #onLinger(): void {
    const lives = this.#conversation.transfer.expectEnd() || this.#heard;
    this.#heard = false;
    if (lives) this.#control.outbox.setTimer('linger', LINGER_MS);
    else this.#control.close();
  }

  #onClientBytes(bytes: Uint8Array): void {
    if (this.#control.phase === 'passthrough') {
      this.#opening.watch(bytes);
      return;
    }
    const read = this.#control.commands.push(bytes);
    if (this.phase === 'greeting') this.#opening.considerClient();
    if (this.phase === 'clientAgreed') this.#opening.considerHandshake();
    if (read === 'ok' || this.phase === 'passthrough') return;
    // The lines before it have been understood.
    this.#advance();
    this.#control.fail(sentences.lineTooLong(), 500);
  }

  // The server

  #onServerConnected(): void {
    const { phase, context } = this.#control;
    if (phase !== 'connecting') return;
    if (context.policy.mode === 'tunnel') this.#control.tunnel();
    else if (context.policy.mode === 'implicit') this.#securing.beginHandshake();
    else this.#opening.awaitGreeting();
  }

  #onGreeted(): void {
    if (this.#securing.identity === undefined) {
      this.#control.to('plain');
    } else {
      this.#control.to('secured');
      this.#conversation.protect();
    }
  }

  #onKeyAllowed(): void {
    if (this.#control.context.policy.mode === 'implicit') {
      this.#opening.awaitGreeting();
      this.#readReplies();
      return;
    }
    // What the server said while its key was judged answers nothing that was sent.
    this.#readReplies('judgingKey');
    this.#onSecured();
  }

  #onSecured(): void {
    this.#control.to('secured');
    this.#conversation.protect();
  }

  #onServerBytes(bytes: Uint8Array): void {
    const { phase, replies, label } = this.#control;
    this.#heard = true;
    if (phase === 'passthrough') {
      this.#opening.relay(bytes);
    } else if (phase === 'handshaking' || phase === 'clientAgreed') {
      // The driver hands these bytes to TLS; whoever feeds them here lets them jump the protection.
      this.#control.fail(sentences.injected(label));
    } else if (phase !== 'connecting') {
      replies.push(this.#control.heard(bytes));
      if (phase !== 'judgingKey') this.#readReplies();
      else if (replies.pending > HELD_REPLIES_MAX) this.#control.fail(sentences.replyTooLong(label));
    }
  }

  #readReplies(also?: Phase): void {
    while (LISTENING.includes(this.#control.phase) || this.#control.phase === also) {
      if (!this.#readReply()) break;
      this.#advance();
    }
    if (this.#control.phase === 'greeting') this.#opening.considerServer();
  }

  /** False when there is no whole line. */
  #readReply(): boolean {
    const { phase, replies, label } = this.#control;
    if (phase !== 'greeting' && phase !== 'reconnecting') {
      const read = replies.read();
      if (read.kind !== 'need-more') this.#conversation.onRead(read);
      return read.kind !== 'need-more';
    }
    const read = replies.readUnpaired();
    if (read.kind === 'too-long') {
      // What can't be a greeting need not end like one.
      if (phase === 'greeting') this.#opening.considerServer();
      if (this.phase === phase) this.#control.fail(sentences.replyTooLong(label));
    } else if (read.kind === 'line' && phase === 'greeting') this.#opening.onGreetingLine(read.line);
    else if (read.kind === 'line') this.#securing.onSecondGreeting(read.line);
    return read.kind !== 'need-more';
  }

  #onServerClosed(): void {
    const { phase, label } = this.#control;
    if (phase === 'negotiating' || phase === 'proving')
      this.#securing.onServerLost('the server closed the connection');
    else if (phase === 'judgingClear') this.#securing.noteServerLost();
    else if (phase === 'handshaking')
      this.#control.fail(sentences.tlsFailed(label, 'the server closed the connection'));
    else if (phase === 'judgingKey' || phase === 'reconnecting')
      this.#control.fail(sentences.serverClosed(label));
    // A file whose end is still on its way gets its verdict first.
    else if (this.#conversation.transfer.holding) this.#serverEnded = true;
    else this.#leave();
  }

  /** The server is gone: a client that waits for an answer gets one. */
  #leave(): void {
    const { phase, label } = this.#control;
    if (phase !== 'passthrough' && this.#conversation.awaited)
      this.#control.fail(sentences.serverClosed(label));
    else this.#control.close();
  }

  #onTimer(timer: TimerName): void {
    if (!this.#control.outbox.expire(timer)) return;
    const { phase, label } = this.#control;
    if (timer === 'linger') this.#onLinger();
    else if (timer === 'answer') this.#onNoAnswer();
    else if (phase === 'negotiating' || phase === 'proving') this.#securing.onServerSilent();
    else if (phase === 'greeting') this.#opening.onSilence();
    else if (phase === 'handshaking') this.#control.fail(sentences.tlsFailed(label, 'it took too long'));
    else if (phase === 'reconnecting') this.#control.fail(sentences.greetingMissing(label));
  }
  /** Firewalls that do not know EPSV swallow it; the next session will do without. */
  #onNoAnswer(): void {
    const { verb } = this.#answers;
    if (verb === undefined) return;
    if (verb === 'EPSV') this.#conversation.transfer.forms.forgetEpsv();
    this.#control.fail(sentences.noAnswer(this.#control.label, verb));
  }
}
