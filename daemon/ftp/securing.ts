// The road to protection: AUTH, handshake and the verdict on the server's key; or, where no mechanism is accepted, the leave to
// go on in clear. What is held for the client meanwhile is the session's business.
import type { Decision, ServerIdentity } from '../../shared/trust.js';
import type { LineProtection } from '../security/mechanism.js';
import type { Command } from './command-reader.js';
import type { Control } from './control.js';
import { HANDSHAKE_MS, NEGOTIATION_REPLY_MS, REPLAYED_COMMANDS_MAX } from './limits.js';
import { Negotiation, type NegotiationStep } from './negotiation.js';
import { replyClass, type Reply, type ReplyLine } from './reply-reader.js';
import { isAnonymous } from './routing.js';
import { sentences } from './sentences.js';

/** Harmless commands that change what a server does later: repeated on a second connection. */
const REPLAYED_VERBS: readonly string[] = ['CLNT', 'OPTS', 'LANG', 'HOST'];

/** Whom the road tells where it has led. */
export interface SecuringHost {
  /** TLS stands and its key was accepted. */
  keyAllowed(): void;
  /** A mechanism without TLS has secured the connection. */
  secured(): void;
}

/** One session's road; it is gone once, or once more in clear for a login that follows an anonymous one. */
export class Securing {
  readonly #control: Control;
  readonly #host: SecuringHost;
  readonly #replayed: Buffer[] = [];
  #negotiation: Negotiation | undefined;
  #identity: ServerIdentity | undefined;
  #warning: string | undefined;
  #serverLost = false;
  #anonymousOnly = false;

  constructor(control: Control, host: SecuringHost) {
    this.#control = control;
    this.#host = host;
  }

  /** Known as soon as the server has shown its key, before that was judged. */
  get identity(): ServerIdentity | undefined {
    return this.#identity;
  }

  get warning(): string | undefined {
    return this.#warning;
  }

  /** The server hung up or was hung up on, and there may be a second connection; nothing of the first counts. */
  get serverLost(): boolean {
    return this.#serverLost;
  }

  /** Clear was allowed for an anonymous login only. */
  get anonymousOnly(): boolean {
    return this.#anonymousOnly;
  }

  /** A harmless command went out in clear. */
  noteHarmless(command: Command): void {
    if (!REPLAYED_VERBS.includes(command.verb) || this.#replayed.length >= REPLAYED_COMMANDS_MAX) return;
    this.#replayed.push(command.raw);
  }

  /** The held command needs protection, and nothing is outstanding. */
  negotiate(): void {
    if (this.#control.context.policy.mode === 'plain') {
      this.#control.to('judgingClear');
      this.#allowClear('this server is set to plain FTP');
      return;
    }
    const { context, mechanismContext } = this.#control;
    this.#negotiation = new Negotiation(context.policy.tls.mechanisms, mechanismContext);
    this.#control.to('negotiating');
    this.#follow(this.#negotiation.start());
  }

  /** A reply to our AUTH. */
  onAuthReply(reply: Reply): void {
    if (this.#negotiation === undefined || replyClass(reply.code) === 1) return;
    this.#follow(this.#negotiation.onReply(reply));
  }

  #follow(step: NegotiationStep): void {
    switch (step.kind) {
      case 'send':
        this.#control.outbox.setTimer('negotiation', NEGOTIATION_REPLY_MS);
        this.#control.sendOwn(step.line, 'auth');
        break;
      case 'wrapStream':
        if (this.#agreed()) this.beginHandshake();
        break;
      case 'judge':
        if (this.#agreed()) this.#judge(step.identity);
        break;
      case 'wrapLines':
        if (this.#agreed()) this.#protectLines(step.lines, step.first);
        break;
      case 'secured':
        if (this.#agreed()) this.#host.secured();
        break;
      case 'failed':
        this.#control.fail(sentences.mechanismFailed(this.#control.label, step.reason));
        break;
      case 'exhausted':
        this.#control.outbox.clearTimer('negotiation');
        this.judgeClear(step.reason);
        break;
    }
  }

  /** The server has said yes. With bytes behind it somebody else has spoken as well, and the session is over: false. */
  #agreed(): boolean {
    this.#control.outbox.clearTimer('negotiation');
    if (this.#control.replies.pending === 0) return true;
    this.#control.fail(sentences.injected(this.#control.label));
    return false;
  }

  #protectLines(lines: LineProtection, first: string): void {
    this.#control.protectLines(lines);
    this.#follow({ kind: 'send', line: first });
  }

  beginHandshake(): void {
    this.#control.to('handshaking');
    this.#control.outbox.setTimer('handshake', HANDSHAKE_MS);
    this.#control.outbox.emit({ kind: 'startTls', servername: this.#control.name });
  }

  onTlsEstablished(identity: ServerIdentity): void {
    if (this.#control.phase !== 'handshaking') return;
    this.#control.outbox.clearTimer('handshake');
    this.#negotiation = undefined;
    this.#judge(identity);
  }

  #judge(identity: ServerIdentity): void {
    this.#identity = identity;
    this.#control.to('judgingKey');
    this.#control.outbox.emit({ kind: 'ask', question: { kind: 'key', identity } });
  }

  /** May the held command go out in clear? */
  judgeClear(reason: string): void {
    const command = this.#control.commands.head;
    const anonymous = command !== undefined && command.clean && isAnonymous(command);
    this.#anonymousOnly = anonymous;
    this.#control.to('judgingClear');
    const question = { kind: 'cleartext', anonymous, reason: reason.slice(0, 500) } as const;
    this.#control.outbox.emit({ kind: 'ask', question });
  }

  onDecided(decision: Decision): void {
    const phase = this.#control.phase;
    if (phase !== 'judgingKey' && phase !== 'judgingClear') return;
    if (decision.kind === 'refuse') {
      this.#control.fail(decision.sentence);
    } else if (phase === 'judgingClear') {
      this.#allowClear(decision.warning);
    } else {
      this.#warning = decision.warning;
      this.#onKeyAllowed();
    }
  }

  /** TLS stands already; other mechanisms go on with their negotiation. */
  #onKeyAllowed(): void {
    if (this.#negotiation === undefined) this.#host.keyAllowed();
    else if (this.#agreed()) {
      this.#control.to('proving');
      this.#follow(this.#negotiation.onAccepted());
    }
  }

  #allowClear(warning: string | undefined): void {
    this.#warning = warning;
    if (this.#serverLost) this.#reconnect();
    else this.#control.to('cleartext');
  }

  // A server that hangs up on AUTH: once more, without it, repeating what the client had set up

  /** The server is gone while it should have answered AUTH. */
  onServerLost(event: string): void {
    this.#control.outbox.clearTimer('negotiation');
    if (this.#control.phase === 'proving') {
      // It has begun to encrypt: who breaks that off must not get the session in clear.
      this.#control.fail(sentences.mechanismFailed(this.#control.label, event));
      return;
    }
    this.#serverLost = true;
    this.judgeClear(this.#negotiation?.reasonWith(event) ?? event);
  }

  onServerSilent(): void {
    if (this.#control.phase === 'negotiating') this.#control.outbox.emit({ kind: 'hangUpServer' });
    this.onServerLost('no answer');
  }

  /** The server is gone while clear is being judged. */
  noteServerLost(): void {
    this.#serverLost = true;
  }

  #reconnect(): void {
    this.#serverLost = false;
    this.#control.to('reconnecting');
    this.#control.outbox.setTimer('negotiation', NEGOTIATION_REPLY_MS);
    this.#control.startStream();
    this.#control.dial();
  }

  /** A line of the second greeting, which the client does not see. */
  onSecondGreeting(line: ReplyLine): void {
    if (line.code === undefined || !line.last || replyClass(line.code) === 1) return;
    this.#control.outbox.clearTimer('negotiation');
    if (replyClass(line.code) >= 4) {
      this.#control.fail(sentences.serverClosed(this.#control.label));
      return;
    }
    this.#control.to('cleartext');
    for (const raw of this.#replayed) {
      this.#control.sendOwn(raw.toString('latin1').replace(/\r?\n$/, ''), 'silent');
    }
  }
}
