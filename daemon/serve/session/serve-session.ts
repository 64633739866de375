// One control connection of the server proxy: events in, effects out. Protection towards the client is decided here (gate.ts for what
// is said, client-shield.ts for X-SafeTP1, whose lines and blocks are protected one by one); the FTP behind it, data connections
// and the proof of their ends above all, is backend-leg.ts.
import type { Command } from '../../ftp/command-reader.js';
import { CommandQueue } from '../../ftp/command-queue.js';
import type { Effect, LegProtection } from '../../ftp/effects.js';
import { HANDSHAKE_MS, LINGER_MS } from '../../ftp/limits.js';
import { ownReply } from '../../ftp/sentences.js';
import { BackendLeg } from './backend-leg.js';
import { BlockTransfers } from './block-transfers.js';
import { createShield, type ClientShield } from './client-shield.js';
import type { ServeEffect, ServeEvent, ServeTimer } from './events.js';
import { judgeCommand, type Verdict } from './gate.js';
import { LOGIN_MS } from './limits.js';
import { LineNegotiation } from './line-negotiation.js';
import { levelOf, SAFETP_LABEL, type ServeContext, type ServeView } from './policy.js';
import { sentences } from './sentences.js';

type Phase = 'open' | 'securing' | 'closed';

/** Total and bounded like the session of daemon/ftp; the driver stops reading the client while `wantsClient` is false. */
export class ServeSession {
  readonly #context: ServeContext;
  readonly #commands = new CommandQueue();
  #effects: ServeEffect[] = [];
  readonly #backend: BackendLeg;
  #phase: Phase = 'open';
  #secured: string | undefined;
  #tlsLevel: LegProtection = 'clear';
  #bufferSized = false;
  #committed = false;
  #clientEnded = false;
  #loginTimer = false;
  /** As long as X-SafeTP1 may still be asked for, or protects. */
  #shield: ClientShield | undefined;
  /** As long as it may be asked for. */
  #negotiation: LineNegotiation | undefined;
  readonly #transfers = new BlockTransfers();

  constructor(context: ServeContext) {
    this.#context = context;
    this.#backend = new BackendLeg(context);
    this.#shield = createShield(context);
    if (this.#shield !== undefined)
      this.#negotiation = new LineNegotiation(this.#shield, (effect) => {
        this.#emit(effect);
      });
  }

  /** The first effects. */
  start(): readonly ServeEffect[] {
    this.#setTimer('login', LOGIN_MS);
    this.#loginTimer = true;
    if (this.#context.implicit) this.#beginTls('implicit');
    else this.#pass(this.#backend.start());
    return this.#take();
  }

  /** Everything that follows from one event, in order; nothing after `close`. */
  step(event: ServeEvent): readonly ServeEffect[] {
    if (this.#phase === 'closed') return [];
    this.#on(event);
    this.#advance();
    return this.#take();
  }

  get wantsClient(): boolean {
    return this.#commands.wantsMore && this.#backend.wantsClient;
  }

  /** Every command of the client has its answer, and no transfer is under way. */
  get atRest(): boolean {
    return this.#commands.head === undefined && this.#backend.atRest && this.#phase !== 'securing';
  }

  view(): ServeView {
    return { secured: this.#secured, data: this.#level, ...this.#backend.view() };
  }

  // Events

  #on(event: ServeEvent): void {
    switch (event.kind) {
      case 'clientBytes':
        this.#onClientBytes(event.bytes);
        break;
      case 'clientClosed':
        this.#onClientClosed();
        break;
      case 'clientSecured':
        this.#onSecured();
        break;
      case 'turn':
        this.#negotiation?.onTurn();
        break;
      case 'timer':
        this.#onTimer(event.timer);
        break;
      default:
        this.#pass(this.#backend.step(event));
    }
  }

  #onClientBytes(bytes: Uint8Array): void {
    if (this.#phase !== 'open') {
      // The driver hands these bytes to TLS; whoever feeds them here lets them jump the protection.
      this.#close();
      return;
    }
    const opened = this.#shield?.secured === true ? this.#shield.open(bytes) : undefined;
    const read = this.#commands.push(opened?.commands ?? bytes);
    if (read === 'ok' && opened?.violation === undefined) return;
    this.#advance();
    if (opened?.violation === undefined) this.#fail(sentences.lineTooLong(), 500);
    else this.#breakOff(opened.violation);
  }

  /** Its last commands still get their answers; but a backend that gives none must not keep the session for ever. */
  #onClientClosed(): void {
    this.#clientEnded = true;
    if (this.#phase === 'securing') this.#close();
    else if (this.#commands.head !== undefined) this.#setTimer('held', LINGER_MS);
  }

  #onTimer(timer: ServeTimer): void {
    if (timer === 'login') {
      if (this.#loginTimer) this.#fail(sentences.loginTooLate());
    } else if (timer === 'held') {
      if (this.#clientEnded) this.#passEnd();
    } else if (timer === 'handshake') {
      if (this.#phase === 'securing') this.#close();
      else if (this.#negotiation?.timed === true) this.#fail(sentences.handshakeTooLate());
    } else {
      this.#pass(this.#backend.step({ kind: 'timer', timer }));
    }
  }

  // Commands

  #advance(): void {
    while (this.#phase === 'open') {
      const command = this.#commands.head;
      if (command === undefined || !this.#backend.isOpen) break;
      const done =
        this.#negotiation === undefined
          ? this.#takeCommand(command)
          : this.#negotiate(command, this.#negotiation);
      if (!done) break;
    }
    const isDone = this.#clientEnded && this.#commands.head === undefined;
    if (this.#phase === 'open' && isDone) this.#passEnd();
  }

  /** False: not now. */
  #takeCommand(command: Command): boolean {
    const verdict = this.#judge(command);
    const isReady = this.#mayPipeline(command, verdict) ? this.#backend.wantsClient : this.#backend.atRest;
    if (!isReady) return false;
    this.#commands.shift();
    const number = this.#shield?.takeNumber() ?? 0;
    if (this.#shield !== undefined && verdict.kind === 'pass' && command.info.role === 'transfer')
      this.#transfers.onCommand(this.#shield.transfer(number));
    this.#follow(command, verdict);
    return true;
  }

  /** A transfer in blocks goes by the number of its own command: no other one may be on its way. */
  #mayPipeline(command: Command, verdict: Verdict): boolean {
    const isNumbered = this.#shield !== undefined && command.info.role === 'transfer';
    return verdict.kind === 'pass' && command.verb !== 'FEAT' && !isNumbered;
  }

  #passEnd(): void {
    this.#clientEnded = false;
    this.#pass(this.#backend.step({ kind: 'clientClosed' }));
  }

  #judge(command: Command): Verdict {
    return judgeCommand(command, {
      policy: this.#context.policy,
      secured: this.#secured !== undefined,
      linesSecured: this.#shield?.secured === true,
      committedToClear: this.#committed,
      level: this.#level,
      bufferSized: this.#bufferSized,
    });
  }

  #follow(command: Command, verdict: Verdict): void {
    switch (verdict.kind) {
      case 'drop':
        break;
      case 'pass':
        this.#passOn(command, verdict.commits);
        break;
      case 'answer':
        this.#say(verdict.text);
        break;
      case 'secure':
        this.#secure(verdict.word, verdict.text);
        break;
      case 'mechanism':
        this.#say(`${this.#shield?.answer(command.verb, command.argument) ?? '500 Unknown command.'}\r\n`);
        break;
      case 'bufferSize':
        this.#bufferSized = true;
        this.#say(verdict.text);
        break;
      case 'level':
        this.#tlsLevel = verdict.level;
        this.#say(verdict.text);
        break;
    }
  }

  #passOn(command: Command, commits: boolean): void {
    if (commits) this.#commit();
    this.#pass(this.#backend.take(command));
    if (command.info.role !== 'abort') return;
    for (const effect of this.#transfers.abort()) this.#emit(effect);
  }

  #commit(): void {
    if (this.#secured === undefined) {
      this.#committed = true;
      this.#leaveShield();
    }
    if (this.#loginTimer) this.#emit({ kind: 'clearTimer', timer: 'login' });
    this.#loginTimer = false;
  }

  // X-SafeTP1

  /** One command in clear while it may still be asked for. False: not now. */
  #negotiate(command: Command, negotiation: LineNegotiation): boolean {
    if (!this.#backend.atRest || !negotiation.hasTurn(command)) return false;
    const { following } = this.#commands;
    this.#commands.shift();
    const step = negotiation.take(command, following);
    if (step.kind === 'clear') this.#follow(command, this.#judge(command));
    else if (step.kind === 'over') this.#breakOff(step.bytes);
    else if (step.kind === 'secured') this.#onLinesSecured();
    return true;
  }

  #onLinesSecured(): void {
    this.#secured = SAFETP_LABEL;
    this.#negotiation = undefined;
    this.#emit({ kind: 'linesSecured' });
  }

  #relay(effect: Extract<Effect, { kind: 'relay' }>): void {
    if (this.#shield === undefined) {
      this.#emit({ ...effect, protection: this.#level });
      return;
    }
    const effects = this.#transfers.begin(effect);
    if (effects === undefined) this.#close();
    else for (const one of effects) this.#emit(one);
  }

  /** It will not be asked for any more. */
  #leaveShield(): void {
    this.#shield = undefined;
    this.#negotiation = undefined;
  }

  // Protection

  get #level(): LegProtection {
    if (this.#shield?.secured === true) return this.#shield.level === 'C' ? 'clear' : 'private';
    return this.#tlsLevel;
  }

  /** Bytes that came behind AUTH were not sent by a client that waits for 234 (CVE-2011-0411 and its kin). */
  #secure(word: string, text: string): void {
    if (this.#commands.takeRaw().length > 0) {
      this.#fail(sentences.injected());
      return;
    }
    this.#say(text);
    this.#beginTls(word);
  }

  #beginTls(word: string): void {
    this.#phase = 'securing';
    this.#leaveShield();
    this.#secured = word;
    this.#setTimer('handshake', HANDSHAKE_MS);
    this.#emit({ kind: 'secureClient' });
  }

  #onSecured(): void {
    if (this.#phase !== 'securing') return;
    this.#phase = 'open';
    this.#emit({ kind: 'clearTimer', timer: 'handshake' });
    const word = this.#secured ?? '';
    this.#tlsLevel = word === 'implicit' ? 'private' : levelOf(word, this.#context.policy.dataDefault);
    if (word === 'implicit') this.#pass(this.#backend.start());
    else this.#pass(this.#backend.forgetClear());
  }

  // Effects

  /** What the FTP session asks for, with the client's side put in. It can't ask for what a plain backend never needs. */
  #pass(effects: readonly Effect[]): void {
    if (this.#backend.isForeign) {
      this.#fail(sentences.noFtp());
      return;
    }
    for (const effect of effects) this.#passEffect(effect);
  }

  #passEffect(effect: Effect): void {
    switch (effect.kind) {
      case 'dial':
        this.#emit({ kind: 'dial' });
        break;
      case 'sendClient':
        this.#toClient(effect.bytes);
        break;
      case 'close':
        this.#close();
        break;
      case 'connectServer':
        this.#emit({ kind: 'connectServer', channel: effect.channel, to: effect.to });
        break;
      case 'listenForServer':
        this.#emit({ kind: 'listenForServer', channel: effect.channel });
        break;
      case 'relay':
        this.#relay(effect);
        break;
      case 'hangUpServer':
      case 'sendServer':
      case 'setTimer':
      case 'clearTimer':
      case 'listenForClient':
      case 'connectClient':
      case 'expectEnd':
      case 'remember':
        this.#emit(effect);
        break;
      case 'discard':
        this.#transfers.onDiscarded(effect.channel);
        this.#emit(effect);
        break;
      default:
        this.#close();
    }
  }

  #setTimer(timer: ServeTimer, ms: number): void {
    this.#emit({ kind: 'setTimer', timer, ms });
  }

  #say(text: string): void {
    this.#toClient(Buffer.from(text));
  }

  /** Protected where lines are, and in any case part of what DIGT covers. */
  #toClient(bytes: Uint8Array): void {
    const wire = this.#shield === undefined ? bytes : this.#shield.seal(bytes);
    if (wire === undefined) this.#fail(sentences.replyTooLong());
    else if (wire.length > 0) this.#emit({ kind: 'sendClient', bytes: wire });
  }

  /** Ends the session with these bytes as they are. */
  #breakOff(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#emit({ kind: 'sendClient', bytes });
    this.#close();
  }

  /** Ends the session with a sentence for the client. */
  #fail(sentence: string, code = 421): void {
    if (this.#phase === 'closed') return;
    this.#say(ownReply(code, sentence));
    this.#close();
  }

  #close(): void {
    if (this.#phase === 'closed') return;
    this.#emit({ kind: 'close' });
    this.#phase = 'closed';
  }

  #emit(effect: ServeEffect): void {
    if (this.#phase !== 'closed') this.#effects.push(effect);
  }

  #take(): readonly ServeEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
